import pytest

from apps.go.compiling import compile_rules


@pytest.fixture(scope="session", autouse=True)
def compiled():
    """On disk before the first process that a test starts, so that none says that it compiles."""
    compile_rules()
