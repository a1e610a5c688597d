"""What pyproject.toml cannot say: a wheel carries `data/`, which lies beside the package in the source tree."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithData(build_py):
    """Copies `data/` into the package that is built; an editable install reads it where it is."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            shutil.copytree("data", Path(self.build_lib) / "rerank" / "data", dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithData})
