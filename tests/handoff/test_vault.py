from handoff.vault import LIMIT, Vault


def test_a_secret_is_kept_until_it_is_forgotten_and_never_printed():
    vault = Vault()
    vault.keep("m1", "hunter2")
    assert vault.find("m1") == "hunter2"
    assert "hunter2" not in repr(vault)
    vault.forget("m1")
    assert vault.find("m1") is None


def test_the_oldest_make_room():
    vault = Vault()
    for number in range(LIMIT + 1):
        vault.keep(str(number), "x")
    assert vault.find("0") is None
    assert vault.find(str(LIMIT)) == "x"
