"""The public sets of game records: addresses, licences, sha256 sums.

The sums of KGS's archives are those of the files that u-go.net published, whose time stamps they
bear. Of Tygem's none is known.
"""

from __future__ import annotations

from core.data import DataSet, Source, register

_KGS = "https://dl.u-go.net/gamerecords"
_KGS_ARCHIVES = (
    (
        "KGS-2001-19-2298-.tar.gz",
        "3d201a5948d10a640ebc37b283d2b35bbeb1fa7676fffae8aeecdb918aa04b29",
    ),
    (
        "KGS-2002-19-3646-.tar.gz",
        "dfdf4be7e47f2e49ef77a8d8550516fc80227a8394db4d6bc33343542a1e8b24",
    ),
    (
        "KGS-2003-19-7582-.tar.gz",
        "776f6a039a59d7e6c8ee480ac744370b6022d8f926ca8d9bf3309e79714840a0",
    ),
    (
        "KGS-2006-19-10388-.tar.gz",
        "fa1c63bd0d4e7589c217b9c8193736b7caf42688ed348dd6f0184a798d7fe5da",
    ),
    (
        "KGS-2015-19-8133-.tar.gz",
        "7ec22917c0fad371e9776e9bcea0985ee1613a69327903c05ae10408d2e40eeb",
    ),
    (
        "KGS-2017_01-19-733-.tar.gz",
        "981df493104dfe27ed779309493fe884280c21a1956f098809cae9904b633d9c",
    ),
    (
        "KGS-2017_02-19-525-.tar.gz",
        "60c2ac54ca5434943b67ee6cebe2cc2363c096ac4d4e4bf918da196517eac366",
    ),
    (
        "KGS-2017_03-19-717-.tar.gz",
        "53cac5a701fdfbdbdbfcce2c68917c606818bb4813f31381576349f36447a8d3",
    ),
)
register(
    DataSet(
        name="kgs",
        description="34,022 games of 6 dan and up from the KGS Go Server, in SGF, two fifths with "
        "handicap: 2001 to 2003, 2006, 2015, and January to March 2017, which is for validation",
        licence="none stated; game records of a public server",
        path="go/kgs",
        sources=tuple(Source(f"{_KGS}/{name}", digest) for name, digest in _KGS_ARCHIVES),
        tables=("go/kgs-*.tar.gz",),
    )
)

_TYGEM = "https://raw.githubusercontent.com/yenw/computer-go-dataset"
_TYGEM_MONTHS = {
    "b93cb609f95bc686790062ccb2f3e57a02febf47": ("2011-01", "2011-04", "2011-06"),
    "fcb06a8a3353ebe4a8298a9292d49e622897111a": ("2011-09", "2011-10", "2011-12"),
    "979be880360e19b95ce72ef84a5a2ea1990da069": ("2011-11",),
    "e1186895d5a5920b5902f49546c178627a8f29da": ("2015-05", "2015-06"),
    "7742d9f08ff7b8affa81af26f03838c9169473db": ("2016-06",),
    "c1a8b259453367e515102b7577c331ecff1d85db": ("2016-07", "2016-12"),
}
register(
    DataSet(
        name="tygem",
        description="Games of 9 dan against 9 dan from the Tygem server: twelve months of 2011, "
        "2015 and 2016. Published as lines of a number, a tab and moves, ;B[pd];W[dd]…, which this "
        r"makes SGF: sed 's/.*\t\(.*;[BW]\[[a-t]*\]\).*/(;GM[1]SZ[19]KM[6.5]\1)/'",
        licence="GPL-3.0, says the repository",
        path="go/tygem",
        sources=tuple(
            Source(f"{_TYGEM}/{commit}/TYGEM/Kifu/{month}.zip", None)
            for commit, months in _TYGEM_MONTHS.items()
            for month in months
        ),
        tables=("go/tygem-*.zip",),
    )
)
