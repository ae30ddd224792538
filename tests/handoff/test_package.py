import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import importlib, pkgutil, sys
import handoff
for module in pkgutil.iter_modules(handoff.__path__, "handoff."):
    if module.name not in ("handoff.migrations", "handoff.__main__"):
        importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_rules_import_neither_rasa_nor_sanic_nor_servicenow():
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"rasa", "rasa_sdk", "sanic", "servicenow", "channels", "aiohttp"} & set(found.stdout.split())
