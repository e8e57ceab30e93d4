"""The public sets behind sentiment and word vectors: addresses, licences, published sha256 sums.

Each sum stands in a public source: the "download_checksums" that Hugging Face's datasets kept for
sst, imdb, rotten_tomatoes, tweet_eval and go_emotions; Embeddings.jl and Keras for GloVe; several
projects that pin the UCI archive. Where none is published it is None.

`receptive data get` makes the tables that the recipes name (`tables.py`), with two exceptions that
the sets' descriptions tell: `semeval2013_2016_all` and `uci3000_elements`.
"""

from __future__ import annotations

from core.data import DataSet, Source, register

from . import tables

register(
    DataSet(
        name="sst",
        description="Stanford Sentiment Treebank: film review sentences and phrases, five classes",
        licence="none stated; research use",
        path="text/sst",
        sources=(
            Source(
                "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip",
                "5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc",
            ),
        ),
        tables=("text/sst5_*.tsv.xz",),
        read=tables.sst,
    )
)

register(
    DataSet(
        name="mr",
        description="Movie Review sentences (Pang and Lee 2005): 5,331 positive, 5,331 negative",
        licence="none stated; research use",
        path="text/mr",
        sources=(
            Source(
                "https://storage.googleapis.com/seldon-datasets/sentence_polarity_v1/"
                "rt-polaritydata.tar.gz",
                "a05befe52aafda71d458d188a1c54506a998b1308613ba76bbda2e5029409ce9",
            ),
        ),
        tables=("text/mr.tsv.xz",),
        read=tables.mr,
    )
)

register(
    DataSet(
        name="imdb",
        description="Large Movie Review Dataset: 50,000 film reviews of two classes, 50,000 bare",
        licence="none stated; research use",
        path="text/imdb",
        sources=(
            Source(
                "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
                "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
            ),
        ),
        tables=("text/imdb_*.tsv.xz",),
        read=tables.imdb,
    )
)

_TWEETEVAL = (
    "https://raw.githubusercontent.com/cardiffnlp/tweeteval/"
    "3eb5e91dd5070b5a5931df4e70cbab5978e3c50c/datasets/sentiment"
)
register(
    DataSet(
        name="tweeteval",
        description="TweetEval sentiment: tweets of SemEval 2013-2017 task 4, three classes. "
        "The table tweeteval_train has to replace the recipes' semeval2013_2016_all, 49,570 tweets "
        "of the same tasks, for which no public address is known",
        licence="CC BY 3.0, says Hugging Face's card of tweet_eval; tweets under Twitter's terms",
        path="text/tweeteval",
        sources=(
            Source(
                f"{_TWEETEVAL}/train_text.txt",
                "368f01052ea6fd8ffc408a2a2e6ac9669e31542581a0396ef16591ea26eb98a6",
            ),
            Source(
                f"{_TWEETEVAL}/train_labels.txt",
                "122bfb1732fb6995b0e5c5f726c0ba457c469c3b6e60513007ce5037f23e65d4",
            ),
            Source(
                f"{_TWEETEVAL}/val_text.txt",
                "e5b021e6fc45064c260b09814b803d8f56cada519c4d952d72f43d48a350a964",
            ),
            Source(
                f"{_TWEETEVAL}/val_labels.txt",
                "b4566926c72e2e4e2916c864def94e76c4cdde52446af2c7ba4fc2006e057e51",
            ),
            Source(
                f"{_TWEETEVAL}/test_text.txt",
                "09a93a55c63fd93f97485ef7302889d7edb4091cd49733aa37da094f0bfa0675",
            ),
            Source(
                f"{_TWEETEVAL}/test_labels.txt",
                "6afb4afe9374d1f983bcf9a7c79b108d0f37fdf020a83f30488309bed215db9d",
            ),
        ),
        tables=("text/tweeteval_*.tsv.xz", "text/semeval2013_2016_all.tsv.xz"),
        read=tables.tweeteval,
    )
)

_GOEMOTIONS = "https://raw.githubusercontent.com/google-research/google-research"
register(
    DataSet(
        name="goemotions",
        description="GoEmotions: Reddit comments, 27 emotions that map to three classes",
        licence="CC BY 4.0 (annotation); comments under Reddit's terms",
        path="text/goemotions",
        sources=(
            Source(
                f"{_GOEMOTIONS}/2adf640a14f11025ae5a9d0ec493b78530d276d3/goemotions/data/train.tsv",
                "1c254a142be5c00e80d819b9ae1bbd36d94b2eeb8f4b1271846508d57e57d9c5",
            ),
            Source(
                f"{_GOEMOTIONS}/2adf640a14f11025ae5a9d0ec493b78530d276d3/goemotions/data/dev.tsv",
                "575489c079c9de1097062a01738f998590d6b7ead66dd1c9fd1d2ba01fd8bc62",
            ),
            Source(
                f"{_GOEMOTIONS}/b91598b43297db06cca27a29fe2d0442dffea029/goemotions/data/test.tsv",
                "0587b2dd8b27b97352adbfc3fb083d46005c8946657fdc2b1ca8b1cc7f1f8be4",
            ),
        ),
        tables=("text/goemotions_*.tsv.xz",),
        read=tables.goemotions,
    )
)

register(
    DataSet(
        name="uci3000",
        description="Sentiment Labelled Sentences: 3,000 of Amazon, IMDb and Yelp, two classes. "
        "The table uci3000 has to replace the recipes' uci3000_elements, the same sentences cut at "
        "some ellipses into 3,148, whose exact rule is not known",
        licence="CC BY 4.0",
        path="text/uci3000",
        sources=(
            Source(
                "https://archive.ics.uci.edu/static/public/331/sentiment+labelled+sentences.zip",
                "afc26626d710899948693e1a61405dce197f57ffa719fa1130d346b4cc095343",
            ),
        ),
        tables=("text/uci3000*.tsv.xz",),
        read=tables.uci3000,
    )
)

register(
    DataSet(
        name="newsmtsc",
        description="NewsMTSC: sentences of news articles, polarity towards the persons in them",
        licence="MIT",
        path="text/newsmtsc",
        sources=(
            Source(
                "https://raw.githubusercontent.com/fhamborg/NewsMTSC/"
                "6b838e00f54423c253806327a0ae24dbffa24c9e/NewsSentiment/experiments/default/"
                "datasets/newsmtsc-mt-hf/train.jsonl",
                None,
            ),
        ),
        tables=("text/newsmtsc_train.tsv.xz",),
        read=tables.newsmtsc,
    )
)

register(
    DataSet(
        name="tweet-extraction",
        description="Tweet Sentiment Extraction (Kaggle 2020): 27,480 tweets, three classes",
        licence="CC BY 4.0, says the competition's page; tweets under Twitter's terms",
        path="text/tweet-extraction",
        sources=(
            Source(
                "https://huggingface.co/datasets/mteb/tweet_sentiment_extraction/resolve/"
                "62146448f05be9e52a36b8ee9936447ea787eede/train.jsonl",
                None,
            ),
        ),
        tables=("text/tweet_extraction.tsv.xz",),
        read=tables.tweet_extraction,
    )
)

register(
    DataSet(
        name="fdu-mtl",
        description="FDU-MTL: product reviews of 14 Amazon categories (and IMDB, MR), two classes",
        licence="none stated; research use",
        path="text/fdu-mtl",
        sources=(
            Source(
                "https://github.com/FrankWork/fudan_mtl_reviews/raw/"
                "3d696352210a3b3e8477de163f9aa7a4c6e6cde5/data/"
                "fudan-mtl-dataset.tar.gz",
                None,
            ),
        ),
        tables=("text/fdu_amazon14_train.tsv.xz",),
        read=tables.fdu_mtl,
    )
)

_MELD = "https://raw.githubusercontent.com/declare-lab/MELD/master/data/MELD"
register(
    DataSet(
        name="meld",
        description="MELD: utterances of Friends, three classes; for experiments, not for release. "
        "Fetched as csv files; no recipe needs it and no table is made of it",
        licence="GPL-3.0",
        path="text/meld",
        sources=tuple(
            Source(f"{_MELD}/{split}_sent_emo.csv", None) for split in ("train", "dev", "test")
        ),
        tables=("text/meld_*.tsv.xz",),
    )
)

register(
    DataSet(
        name="glove-6b",
        description="GloVe 6B: 400,000 word vectors of 50, 100, 200 and 300 dimensions",
        licence="PDDL 1.0 (public domain)",
        path="text/glove-6b",
        sources=(
            Source(
                "https://nlp.stanford.edu/data/glove.6B.zip",
                "617afb2fe6cbd085c235baf7a465b96f4112bd7f7ccb2b2cbd649fed9cbcf2fb",
            ),
        ),
    )
)
