"""torchaudio with and without its compiled part; each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def python(script, *folders):
    path = os.pathsep.join(map(str, [*folders, ROOT]))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=120
    )


def package(folder, content, extension=""):
    """Another torchaudio, that is found first."""
    (folder / "torchaudio").mkdir()
    (folder / "torchaudio" / "__init__.py").write_text(content)
    (folder / "torchaudio" / "_extension.py").write_text(extension)
    return folder


WITHOUT = """
import torch

def refuse(path):
    raise OSError(f"Could not load this library: {path}")

torch.ops.load_library = refuse
try:
    import torchaudio
except OSError:
    pass
else:
    raise SystemExit("the plain import was to fail")

from domains.speech.torchaudio_import import load, torchaudio

tone = torch.sin(torch.arange(8000) * 0.3)
slow = torchaudio.transforms.Resample(8000, 16000)(tone)
print(len(slow), round(float(slow[2000:2100:2].sub(tone[1000:1050]).abs().max()), 2))
print(tuple(torchaudio.transforms.MelSpectrogram(8000, n_mels=20)(tone).shape[:1]))
codes = torchaudio.functional.mu_law_encoding(tone, 256)
print(bool((torchaudio.functional.mu_law_decoding(codes, 256) - tone).abs().max() < 0.03))
print(load() is torchaudio)
import torchaudio as plain
print(plain is torchaudio)
"""


def test_what_is_used_of_it_works_where_the_plain_import_fails():
    done = python(WITHOUT)
    assert done.stdout.splitlines() == ["16000 0.0", "(20,)", "True", "True", "True"], done.stderr


def test_where_the_import_works_it_is_left_as_it_is(tmp_path):
    folder = package(tmp_path, "from . import _extension", "_IS_TORCHAUDIO_EXT_AVAILABLE = True")
    done = python(
        "from domains.speech.torchaudio_import import torchaudio\n"
        "print(torchaudio._extension._IS_TORCHAUDIO_EXT_AVAILABLE)\n"
        "print(torchaudio._extension.__file__)",
        folder,
    )
    assert done.stdout.splitlines() == ["True", str(folder / "torchaudio" / "_extension.py")]


def test_the_compiled_part_alone_is_left_out(tmp_path):
    """The part of the package that was imported before it failed is imported anew."""
    folder = package(
        tmp_path, "from . import before, _extension\nprint('whole')", "raise OSError('no CUDA')"
    )
    (folder / "torchaudio" / "before.py").write_text("print('before')")
    done = python("import domains.speech.torchaudio_import", folder)
    assert done.stdout.split() == ["before", "before", "whole"], done.stderr


def test_a_package_that_is_broken_otherwise_still_fails(tmp_path):
    folder = package(tmp_path, "from . import _extension, a_module_that_is_not_there")
    done = python("import domains.speech.torchaudio_import", folder)
    assert done.returncode == 1
    assert "a_module_that_is_not_there" in done.stderr.splitlines()[-1]
