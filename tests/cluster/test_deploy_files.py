"""What `deploy/` says holds: its files parse, name commands, variables and classes that there are, and no secret."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config
from dagster._core.instance.ref import InstanceRef

from spatial_assets.assets.instance import BROKER_VARIABLE, HOME_VARIABLE, POSTGRES_VARIABLE
from spatial_assets.cli import main
from spatial_assets.cluster.coordinator import Coordinator
from spatial_assets.cluster.launcher import Launcher
from spatial_assets.cluster.postgres import SharedHistory
from spatial_assets.commands.cluster import worker
from spatial_assets.storage.shipped import shipped

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
ADDRESSES = {
    POSTGRES_VARIABLE: "postgresql://dagster:hidden@127.0.0.1:1/none",
    BROKER_VARIABLE: "redis://:hidden@127.0.0.1:1/0",
}
SECRET = "spatial-assets"
API = {
    "PersistentVolumeClaim": ("v1", {"accessModes", "resources"}),
    "Deployment": ("apps/v1", {"selector", "template", "replicas"}),
    "Service": ("v1", {"selector", "ports"}),
    "ServiceAccount": ("v1", {"automountServiceAccountToken"}),
    "Role": ("rbac.authorization.k8s.io/v1", {"rules"}),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", {"roleRef", "subjects"}),
    "NetworkPolicy": ("networking.k8s.io/v1", {"podSelector", "policyTypes"}),
}
"""Kinds to their version, and what their specification must have."""


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def documents(path):
    return [item for item in yaml.safe_load_all(path.read_text()) if item is not None]


def deployments():
    return [item for path in MANIFESTS for item in documents(path) if item.get("kind") == "Deployment"]


def check_command(words):
    """A command of ours, with options that it has; those that take a value are given one."""
    program, name, *options = words
    assert program == "spatial-assets"
    command = main.commands[name]
    command.make_context(name, [*options, "--home", "."], resilient_parsing=False).close()


def test_the_instance_is_of_our_classes_and_takes_addresses_from_the_environment(tmp_path, monkeypatch):
    for name, value in {**ADDRESSES, "DAGSTER_HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    text = shipped("deploy/dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(text)
    config, _ = dagster_instance_config(str(tmp_path))
    reference = InstanceRef.from_dir(str(tmp_path))
    assert "hidden" not in repr(config), "addresses stay names of variables"
    assert isinstance(reference.run_launcher, Launcher)
    assert reference.run_launcher.broker == ADDRESSES[BROKER_VARIABLE]
    assert isinstance(reference.run_coordinator, Coordinator)
    named = config["storage"]["custom"]
    assert (named["module"], named["class"]) == (SharedHistory.__module__, SharedHistory.__name__)
    assert config["run_monitoring"]["enabled"] and config["run_monitoring"]["poll_interval_seconds"] <= 5
    assert config["retention"]["sensor"]["purge_after_days"]["skipped"] > 0


def test_the_wheel_brings_the_instance_of_several_machines():
    project = (ROOT / "pyproject.toml").read_text()
    assert '"deploy/dagster.yaml" = "spatial_assets/_shipped/deploy/dagster.yaml"' in project


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.*")), ids=lambda path: path.name)
def test_no_secret_stands_in_a_file(path):
    text = path.read_text()
    for found in re.findall(r"(?im)^[ #]*\w*password[=:][ ]*(\S+)|requirepass (\S+)", text):
        assert "".join(found).startswith(("$", "%s")), found
    for found in re.findall(r"://[^/\s@'\":]*:([^@\s'\"]+)@", text):
        assert found in {"PASSWORD"} or found.startswith("$"), found
    for name in re.findall(r"SPATIAL_ASSETS_[A-Z_]+", text):
        assert name in known_variables(), name


def known_variables():
    """Those that the package reads, and those that the compose file takes from its own environment."""
    read = set()
    for path in (ROOT / "spatial_assets").rglob("*.py"):
        read |= set(re.findall(r"\"(SPATIAL_ASSETS_[A-Z_]+)\"", path.read_text()))
    return read | {"SPATIAL_ASSETS_IMAGE", "SPATIAL_ASSETS_SHARED", "SPATIAL_ASSETS_SCENES"}


def test_services_of_the_compose_file_are_bound_closed_and_of_our_commands():
    found = compose()["services"]
    assert set(found) == {"postgres", "redis", "web", "daemon", "worker"}
    for name in ("web", "daemon", "worker"):
        service = found[name]
        words = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(word)) for word in service["command"]]
        check_command(words)
        assert {HOME_VARIABLE, POSTGRES_VARIABLE, BROKER_VARIABLE} <= service["environment"].keys()
        assert set(service["depends_on"]) <= set(found)
        for server in service["depends_on"]:
            assert "healthcheck" in found[server]
    for name, service in found.items():
        for port in service.get("ports", []):
            assert port.startswith(("127.0.0.1:", "${CLUSTER_ADDRESS:-127.0.0.1}:")), (name, port)
    assert "ports" not in found["worker"] and "ports" not in found["daemon"]
    volumes = {text.split(":")[0] for name in ("postgres", "redis") for text in found[name]["volumes"]}
    assert volumes == set(compose()["volumes"])
    assert "requirepass" in str(found["redis"]["command"])


def test_the_example_of_an_environment_has_all_that_the_compose_file_asks_for():
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    offered = set(re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "environment.example").read_text(), re.MULTILINE))
    assert asked == offered


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_of_kinds_and_versions_that_there_are(path):
    if path.name.endswith((".dagster.yaml", ".patch.yaml")):
        return
    for item in documents(path):
        version, needed = API[item["kind"]]
        assert item["apiVersion"] == version
        assert item["metadata"]["name"].startswith("spatial-assets")
        assert needed <= item.get("spec", item).keys()


def image_sources():
    """What the image is built of: sources of the Dockerfile's COPY, each with where it goes."""
    found = {}
    for line in re.findall(r"^(?:COPY|ADD) (.*)$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE):
        *sources, to = line.split()
        found |= dict.fromkeys(sources, to)
    return found


def test_an_image_is_built_of_named_files_alone_and_has_no_secret():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == set(image_sources())
    for name in image_sources():
        assert (ROOT / name).exists(), name
        assert not Path("deploy/.env").is_relative_to(name), name


def test_the_wheel_of_an_image_is_whole(tmp_path):
    for name, to in image_sources().items():
        at = tmp_path / to.lstrip("/")
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, at, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            at.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, at)
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=tmp_path / "build", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
    for path in (ROOT / "spatial_assets").rglob("*.py"):
        assert path.relative_to(ROOT).as_posix() in names
    for path in [*(ROOT / "sql").rglob("*.sql"), ROOT / "dagster.yaml", ROOT / "deploy" / "dagster.yaml"]:
        assert f"spatial_assets/_shipped/{path.relative_to(ROOT).as_posix()}" in names


def test_deployments_select_their_own_pods_and_run_our_commands():
    found = deployments()
    assert {item["metadata"]["name"] for item in found} == {
        "spatial-assets-web",
        "spatial-assets-daemon",
        "spatial-assets-worker",
    }
    claims = {
        item["metadata"]["name"] for path in MANIFESTS for item in documents(path)
        if item.get("kind") == "PersistentVolumeClaim"
    }  # fmt: skip
    for item in found:
        labels = item["spec"]["template"]["metadata"]["labels"]
        assert item["spec"]["selector"]["matchLabels"].items() <= labels.items()
        pod = item["spec"]["template"]["spec"]
        volumes = {volume["name"]: volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"]}
        assert set(volumes.values()) <= claims
        for container in pod["containers"]:
            check_command(container["command"])
            assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
            variables = {entry["name"]: entry for entry in container["env"]}
            assert set(variables) == {HOME_VARIABLE, POSTGRES_VARIABLE, BROKER_VARIABLE}
            for name in (POSTGRES_VARIABLE, BROKER_VARIABLE):
                told = variables[name]["valueFrom"]["secretKeyRef"]
                assert (told["name"], told["key"]) == (SECRET, name)
    (daemon,) = [item for item in found if item["metadata"]["name"] == "spatial-assets-daemon"]
    assert daemon["spec"]["replicas"] == 1 and daemon["spec"]["strategy"]["type"] == "Recreate"


def test_runs_as_pods_have_what_a_worker_has_and_may_be_started():
    """Of objects that are made by a manifest or a command of the page."""
    instance = yaml.safe_load((DEPLOY / "kubernetes" / "runs-as-pods.dagster.yaml").read_text())
    config = instance["run_launcher"]["config"]
    (worker,) = [item for item in deployments() if item["metadata"]["name"] == "spatial-assets-worker"]
    pod = worker["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert config["volumes"] == pod["volumes"]
    assert config["volume_mounts"] == container["volumeMounts"]
    assert config["resources"] == container["resources"]
    assert config["security_context"] == container["securityContext"]
    assert config["run_k8s_config"]["pod_spec_config"]["securityContext"] == pod["securityContext"]
    assert config["env_secrets"] == [SECRET]
    page = (DEPLOY / "kubernetes" / "README.md").read_text()
    assert f"create secret generic {SECRET} " in page
    assert set(re.findall(r"--from-literal=(\w+)=", page)) == {POSTGRES_VARIABLE, BROKER_VARIABLE}
    (home,) = config["env_vars"]
    (mount,) = [item for item in config["volume_mounts"] if item["name"] == "home"]
    assert home == f"{HOME_VARIABLE}={mount['mountPath']}"
    assert config["dagster_home"] == f"{mount['mountPath']}/dagster"
    made = documents(DEPLOY / "kubernetes" / "runs-as-pods.yaml")
    accounts = {item["metadata"]["name"] for item in made if item["kind"] == "ServiceAccount"}
    patch = yaml.safe_load((DEPLOY / "kubernetes" / "runs-as-pods.patch.yaml").read_text())["spec"][
        "template"
    ]["spec"]
    assert patch["automountServiceAccountToken"] is True
    assert accounts == {config["service_account_name"], patch["serviceAccountName"]}
    (binding,) = [item for item in made if item["kind"] == "RoleBinding"]
    assert [item["name"] for item in binding["subjects"]] == [patch["serviceAccountName"]]
    (role,) = [item for item in made if item["kind"] == "Role"]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    may = {(name, verb) for rule in role["rules"] for name in rule["resources"] for verb in rule["verbs"]}
    assert {("jobs", "create"), ("jobs", "delete"), ("jobs/status", "get"), ("pods", "list")} <= may


def test_pages_name_files_and_commands_that_there_are():
    for path in (*DEPLOY.rglob("*.md"), ROOT / "docs" / "cluster.md"):
        text = path.read_text()
        for name in re.findall(r"`(deploy/[\w./-]+)`", text):
            assert (ROOT / name).exists() or name == "deploy/.env", (path.name, name)
        for name in re.findall(r"\]\(([\w./-]+\.md)\)", text):
            assert (path.parent / name).exists(), (path.name, name)
        for name in re.findall(r"(?:^|`)spatial-assets ([a-z]+)", text, re.MULTILINE):
            assert name in main.commands, (path.name, name)
        told = " ".join(re.findall(r"spatial-assets worker[^\n`]*", text))
        for name in re.findall(r"(?<![\w-])--([a-z]+)", told):
            assert f"--{name}" in {word for option in worker.params for word in option.opts}, name
