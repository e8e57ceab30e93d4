import os
import subprocess
import sys


def test_the_first_call_after_an_install_says_that_it_compiles(tmp_path):
    code = "from apps.go import compiling; compiling.PATIENCE = 0.1; compiling.compile_rules()"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    first, second = (
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, timeout=300
        )
        for _ in range(2)
    )
    assert (first.returncode, first.stdout) == (second.returncode, second.stdout) == (0, b"")
    assert first.stderr == b"Compiling the rules, once: a moment.\n"
    assert any(tmp_path.rglob("*.nbi"))
