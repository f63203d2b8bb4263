"""What setup.cfg cannot say: the notebooks and recordings go into the wheel, as `dss/shipped`."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ("notebooks/[0-9]_*.ipynb", "data/*/*.wav", "data/*/*_annotations.csv")


class BuildWithExamples(build_py):
    """Copies them; an editable installation finds them in the checkout."""

    def run(self):
        """Build the package, then add the examples."""
        super().run()
        if self.editable_mode:
            return
        for path in (path for pattern in SHIPPED for path in Path().glob(pattern)):
            target = Path(self.build_lib, "dss", "shipped", path)
            self.mkpath(str(target.parent))
            self.copy_file(str(path), str(target))


setup(cmdclass={"build_py": BuildWithExamples})
