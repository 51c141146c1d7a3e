"""Programs and packages of others: their output, their messages, their absence."""

import sys

import pytest

from rnass.errors import DependencyError, InputError
from rnass.programs import import_package, require_program, run_program


def python(code):
    return [sys.executable, "-c", code]


def test_a_program_runs_in_the_folder_and_its_output_comes_back(tmp_path):
    code = "import os; print(os.getcwd())"
    assert run_program(python(code), tmp_path, "a folder").strip() == str(tmp_path.resolve())


def test_a_failure_ends_with_the_programs_last_words_on_one_line(tmp_path):
    with pytest.raises(InputError, match=r"python\S*: line 1 line 2; expected good input"):
        run_program(python("exit('line 1\\nline 2')"), tmp_path, "good input", error=InputError)
    with pytest.raises(DependencyError, match=r"[^x]x{300}; expected less"):
        run_program(python("exit(400 * 'x')"), tmp_path, "less")


def test_a_failure_without_words_has_its_exit_status(tmp_path):
    with pytest.raises(DependencyError, match="exit status 3; expected none"):
        run_program(python("exit(3)"), tmp_path, "none")


def test_a_program_that_is_absent_is_named_with_what_to_install():
    with pytest.raises(DependencyError, match="no-such-program: not installed; expected a package"):
        require_program("no-such-program", "a package")
    require_program("sh", "a shell")


def test_a_package_that_is_absent_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "absent", None)
    with pytest.raises(DependencyError, match="format x: absent is not installed; expected a package"):
        import_package("absent", "format x", "a package")
    assert import_package("json", "format x", "it").loads("1") == 1
