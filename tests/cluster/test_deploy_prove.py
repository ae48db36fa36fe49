"""`deploy/` by the validators of those who read it: Kubernetes' schemas, and Debian's docker-compose."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tool_env import tool_python

pytestmark = pytest.mark.prove
DEPLOY = Path(__file__).parents[2] / "deploy"
VALIDATOR = "kubernetes-validate==1.37.0"
"""With the schemas of each version of Kubernetes; unknown fields are errors."""
NEEDS = ("importlib-resources", "jsonschema", "packaging", "pyyaml", "referencing", "typing-extensions")
NOT_MANIFESTS = (".dagster.yaml", ".patch.yaml")
"""How files end that are Dagster's, or parts of manifests."""
COMPOSE = shutil.which("docker-compose")


def validated(python: Path, path: Path) -> subprocess.CompletedProcess:
    program = python.parent / "kubernetes-validate"
    return subprocess.run(
        [str(program), "--strict", str(path)], capture_output=True, text=True, timeout=120, check=False
    )


def test_manifests_are_what_kubernetes_takes(tmp_path):
    python = tool_python("kubernetes", [VALIDATOR], NEEDS, ["kubernetes_validate"])
    manifests = sorted(
        path for path in (DEPLOY / "kubernetes").glob("*.yaml") if not path.name.endswith(NOT_MANIFESTS)
    )
    assert len(manifests) >= 4
    for path in manifests:
        done = validated(python, path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "passed for resource" in done.stdout + done.stderr
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text((DEPLOY / "kubernetes" / "workers.yaml").read_text().replace("replicas:", "replicsa:"))
    assert validated(python, wrong).returncode != 0


@pytest.mark.skipif(COMPOSE is None, reason="docker-compose is not installed: apt-get install docker-compose")
def test_the_compose_file_is_what_docker_compose_takes(tmp_path):
    def checked(environment: str) -> subprocess.CompletedProcess:
        (tmp_path / "environment").write_text(environment)
        return subprocess.run(
            [str(COMPOSE), "--env-file", str(tmp_path / "environment"), "-f", str(DEPLOY / "compose.yaml"), "config"],
            capture_output=True, text=True, timeout=120, check=False, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip

    example = (DEPLOY / "environment.example").read_text()
    filled = re.sub(r"^(\w+)=$", r"\1=/somewhere", example, flags=re.MULTILINE)
    done = checked(filled)
    assert done.returncode == 0, done.stderr
    assert "spatial-assets" in done.stdout
    # What stands empty in the example has to be set.
    assert checked(example).returncode != 0
