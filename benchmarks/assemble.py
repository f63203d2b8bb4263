"""Make a dataset of a folder of recordings, with dss or with DAS.

PYTHON benchmarks/assemble.py {dss,das} FOLDER STORE

Both take samples of every recording for each split (train 0.6, val 0.2, test 0.2) and give events
the same width: what the form of DAS proposes.
"""

import argparse

SPLITS = {"train": 0.6, "val": 0.2, "test": 0.2}
EVENT_STD_SECONDS = 0.0016


def main() -> None:
    """Read the command line and assemble."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("system", choices=("dss", "das"))
    parser.add_argument("folder", help="recordings with STEM_annotations.csv beside each")
    parser.add_argument("store", help="the dataset to write: NAME.npy")
    arguments = parser.parse_args()
    assemble = {"dss": with_dss, "das": with_das}[arguments.system]
    assemble(arguments.folder, arguments.store)


def with_dss(folder: str, store: str) -> None:
    """Assemble with `dss.data.make_dataset`."""
    from dss.data import make_dataset

    make_dataset(
        folder,
        store_dir=store,
        overwrite=True,
        event_std_seconds=EVENT_STD_SECONDS,
        test_split="samples",
        val_fraction=SPLITS["val"],
        test_fraction=SPLITS["test"],
    )


def with_das(folder: str, store: str) -> None:
    """Assemble with the function behind "Assemble dataset" in the window of DAS.

    It is part of xarray-behave, the package of that window. The copy of the annotations that it
    writes beside the dataset is left out: dss writes none.
    """
    from xarray_behave.gui.das import make

    make(
        data_folder=folder,
        store_folder=store,
        file_splits={},
        data_splits=SPLITS,
        event_std_seconds=EVENT_STD_SECONDS,
        make_csv_annotations=False,
    )


if __name__ == "__main__":
    main()
