"""What `make check` says of the dependencies, against a database of vulnerabilities on loopback."""

import importlib.util
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import CompletedProcess

import pytest

from local import audit
from local.audit import Verdict
from tests.support.chromium import give_up

HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture
def pip_audit():
    if importlib.util.find_spec("pip_audit") is None:
        give_up("pip-audit is not installed: make install")


@pytest.fixture
def project(tmp_path):
    """Two locked packages, and one of the tools."""
    (tmp_path / "requirements.lock").write_text(f"sound==1.0 \\\n    {HASH}\nunsound==2.0 \\\n    {HASH}\n")
    (tmp_path / "requirements-dev.lock").write_text(f"tool==3.0 \\\n    {HASH}\n")
    return tmp_path


@pytest.fixture
def database():
    """Knows one vulnerability, of `unsound`, in the shape of OSV (https://google.github.io/osv.dev/api/)."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(query["package"]["name"])
            known = {
                "id": "GHSA-test-0001",
                "modified": "2026-01-01T00:00:00Z",
                "summary": "Bad",
                "affected": [],
            }
            found = {"vulns": [known]} if query["package"]["name"] == "unsound" else {}
            body = json.dumps(found).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield ["--vulnerability-service=osv", f"--osv-url=http://127.0.0.1:{server.server_port}/"], asked
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("pip_audit")
def test_a_known_vulnerability_is_named_with_its_package(project, database):
    options, asked = database
    report = audit.audit_python(project, {}, options)
    assert report.verdict is Verdict.VULNERABLE
    assert "unsound 2.0: GHSA-test-0001" in str(report)
    assert set(asked) == {"sound", "unsound", "tool"}


@pytest.mark.usefixtures("pip_audit")
def test_one_that_was_judged_is_no_finding(project, database):
    options, _ = database
    report = audit.audit_python(project, {"GHSA-test-0001": "we never call it"}, options)
    assert report.verdict is Verdict.CLEAN
    assert "3 of 3" in str(report)


@pytest.mark.usefixtures("pip_audit")
def test_a_database_that_is_away_is_no_clean_bill(project, unused_tcp_port):
    options = ["--vulnerability-service=osv", f"--osv-url=http://127.0.0.1:{unused_tcp_port}/"]
    report = audit.audit_python(project, {}, options)
    assert report.verdict is Verdict.UNKNOWN
    assert str(report).startswith("Python packages: not audited: ")


def test_packages_that_nobody_knows_are_not_audited():
    """pip-audit succeeds where the index answers 404 to every question."""
    told = {"dependencies": [{"name": "a", "skip_reason": "Dependency not found"}], "fixes": []}
    report = audit.read_pip_audit("p", CompletedProcess([], 0, json.dumps(told), ""), {})
    assert (report.verdict, str(report)) == (Verdict.UNKNOWN, "p: not audited: Dependency not found")


NPM = {
    "vulnerabilities": {
        "bad": {
            "range": "<2",
            "via": [{"url": "https://github.com/advisories/GHSA-x", "severity": "high"}, "its-parent"],
        }
    },
    "metadata": {"dependencies": {"total": 7}},
}


@pytest.mark.parametrize(
    ("told", "accepted", "verdict", "shown"),
    [
        (NPM, {}, Verdict.VULNERABLE, "bad <2: https://github.com/advisories/GHSA-x, high"),
        (NPM, {"GHSA-x": "not reachable"}, Verdict.CLEAN, "7, nothing known"),
        ({**NPM, "vulnerabilities": {}}, {}, Verdict.CLEAN, "7, nothing known"),
        (
            {"message": "405 Method Not Allowed - POST https://r/x"},
            {},
            Verdict.UNKNOWN,
            "405 Method Not Allowed",
        ),
        ({}, {}, Verdict.UNKNOWN, "no answer"),
    ],
)
def test_npms_answer_is_read(told, accepted, verdict, shown):
    report = audit.read_npm(CompletedProcess([], 1, json.dumps(told), ""), accepted)
    assert report.verdict is verdict
    assert shown in str(report)
    assert "https://r/" not in str(report)


@pytest.mark.parametrize(
    ("verdict", "required", "code"),
    [
        (Verdict.CLEAN, True, 0),
        (Verdict.UNKNOWN, False, 0),
        (Verdict.UNKNOWN, True, 1),
        (Verdict.VULNERABLE, False, 1),
    ],
)
def test_only_what_is_vulnerable_or_required_fails(verdict, required, code):
    assert audit.judge([audit.Report("p", verdict)], required=required) == code


def test_what_was_judged_has_a_reason(tmp_path):
    shutil.copy(audit.ROOT / "pyproject.toml", tmp_path)
    accepted = audit.read_accepted(tmp_path / "pyproject.toml")
    assert all(reason.strip() for reason in accepted.values())
