"""The public sets of pictures: addresses, licences, published sha256 sums.

The sums of MNIST, Fashion-MNIST and CIFAR-10 stand in several projects that load them, TensorFlow's
datasets among them; that of the cats and dogs in GoMLX's examples.
"""

from __future__ import annotations

from core.data import DataSet, Source, register

_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"
register(
    DataSet(
        name="mnist",
        description="MNIST: 70,000 handwritten digits, grey, 28 x 28; 10,000 of them are the test "
        "part",
        licence="CC BY-SA 3.0, says Keras; LeCun, Cortes and Burges",
        path="image/mnist",
        sources=(
            Source(
                f"{_MNIST}/train-images-idx3-ubyte.gz",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            Source(
                f"{_MNIST}/train-labels-idx1-ubyte.gz",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            Source(
                f"{_MNIST}/t10k-images-idx3-ubyte.gz",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            Source(
                f"{_MNIST}/t10k-labels-idx1-ubyte.gz",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    )
)

_FASHION = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"
register(
    DataSet(
        name="fashion-mnist",
        description="Fashion-MNIST: 70,000 pictures of clothes, grey, 28 x 28; 10,000 of them are "
        "the test part. The classes 0 to 9 are T-shirt, trouser, pullover, dress, coat, sandal, "
        "shirt, sneaker, bag, ankle boot",
        licence="MIT; Xiao, Rasul and Vollgraf, arXiv:1708.07747",
        path="image/fashion-mnist",
        sources=(
            Source(
                f"{_FASHION}/train-images-idx3-ubyte.gz",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            Source(
                f"{_FASHION}/train-labels-idx1-ubyte.gz",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            Source(
                f"{_FASHION}/t10k-images-idx3-ubyte.gz",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            Source(
                f"{_FASHION}/t10k-labels-idx1-ubyte.gz",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
    )
)

register(
    DataSet(
        name="cifar-10",
        description="CIFAR-10, the binary version: 60,000 colour pictures of ten classes, 32 x 32; "
        "10,000 of them are the test part",
        licence="none stated; Krizhevsky, Learning Multiple Layers of Features from Tiny Images",
        path="image/cifar-10",
        sources=(
            Source(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
    )
)

register(
    DataSet(
        name="cats-and-dogs",
        description="Microsoft's 25,000 photographs of cats and dogs (Asirra), some of which are "
        "damaged; without parts. The zips catdog150_train2000 and _val, where they are there, hold "
        "2,800 of them at 150 x 150, named as in Kaggle's copy: 1 to 1,000 of each class to train "
        "on, 1,001 to 1,400 to measure by",
        licence="research use",
        path="image/cats-and-dogs",
        sources=(
            Source(
                "https://download.microsoft.com/download/3/E/1/"
                "3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
                "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
            ),
        ),
        tables=("image/catdog150_*.zip",),
    )
)
