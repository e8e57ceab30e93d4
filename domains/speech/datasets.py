"""The public sets of spoken words: addresses, licence, published sha256 sums.

The sums of the two training archives stand in several projects that load them; the sums that are
found of the test archive differ from one another, so none is taken.
"""

from __future__ import annotations

from core.data import DataSet, Source, register

_ADDRESS = "https://storage.googleapis.com/download.tensorflow.org/data"
_LICENCE = "CC BY 4.0; Warden, arXiv:1804.03209"

register(
    DataSet(
        name="speech-commands",
        description="Speech Commands v0.02: 105,829 recordings of 35 words, one second each, and "
        "background noise",
        licence=_LICENCE,
        path="speech/speech_commands_v0.02",
        sources=(
            Source(
                f"{_ADDRESS}/speech_commands_v0.02.tar.gz",
                "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
            ),
        ),
    )
)

register(
    DataSet(
        name="speech-commands-v1",
        description="Speech Commands v0.01: 64,727 recordings of 30 words; part of it trained the "
        "released model",
        licence=_LICENCE,
        path="speech/speech_commands_v0.01",
        sources=(
            Source(
                f"{_ADDRESS}/speech_commands_v0.01.tar.gz",
                "743935421bb51cccdb6bdd152e04c5c70274e935c82119ad7faeec31780d811d",
            ),
        ),
    )
)

register(
    DataSet(
        name="speech-commands-test",
        description="The canonical test set of Speech Commands v0.02: 4,890 recordings of ten "
        "keywords, unknown words and silence",
        licence=_LICENCE,
        path="speech/speech_commands_test_set_v0.02",
        sources=(Source(f"{_ADDRESS}/speech_commands_test_set_v0.02.tar.gz", None),),
    )
)
