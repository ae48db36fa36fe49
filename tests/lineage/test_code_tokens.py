"""The tokens of a module, which are what a code version covers: the code alone, and all of it."""

from __future__ import annotations

import ast

import pytest

from spatial_assets.lineage import code_versions as code
from spatial_assets.lineage import source_files

SOURCE = '''"""About this module."""
from __future__ import annotations

LIMIT = 1.5  # meters
"""What it limits."""
TEXT = """a # no comment

b"""


class Thing:
    """A thing."""

    size: int = 2
    """Its size."""

    def name(self, é: str = f"{LIMIT!r:>{len('ab')}} # é") -> str:
        """Its name."""
        return (
            rb"raw", "one" f" of {self.size}" 'two'
        )[1]
'''


def test_tokens_are_those_of_the_code():
    expected = (
        "from __future__ import annotations\n LIMIT = 1.5\n TEXT = <text>\n class Thing :\n > "
        "size : int = 2\n def name ( self , é : str = <format> ) -> str :\n > "
        'return ( rb"raw" , "one" f" of {self.size}" \'two\' ) [ 1 ]\n < <'
    )
    replaced = {'"""a # no comment\n\nb"""': "<text>", "f\"{LIMIT!r:>{len('ab')}} # é\"": "<format>"}
    found = [replaced.get(item, item) for item in source_files.code_tokens(SOURCE)]
    assert " ".join(item.strip(" ") for item in found) == expected.replace("\n ", " \n ")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("About this", "About that"),
        ("  # meters", "  # yards"),
        ("What it limits", "What else it limits"),
        ("Its size", "How large it is"),
        ("Its name", "Its own name"),
        ("LIMIT = 1.5", "LIMIT   =  1.5"),
        ("        return (", "        return ( # a choice\n"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(old, new):
    assert old in SOURCE
    assert list(source_files.code_tokens(SOURCE.replace(old, new, 1))) == list(
        source_files.code_tokens(SOURCE)
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1.5", "1.6"),
        ("comment\n\nb", "comment\nb"),
        ("# é", "# e"),
        ("{self.size}", "{self.depth}"),
        ("    size: int", "    depth: int"),
        ('    """Its size."""\n\n    def', "def"),
        ('rb"raw"', 'b"raw"'),
    ],
)
def test_everything_else_counts(old, new):
    assert old in SOURCE
    assert list(source_files.code_tokens(SOURCE.replace(old, new, 1))) != list(
        source_files.code_tokens(SOURCE)
    )


@pytest.mark.prove
def test_no_module_of_the_package_is_read_as_empty_and_all_tokens_survive_reformatting():
    for path in sorted(code.ROOT.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        found = list(source_files.code_tokens(source))
        says = [node for node in tree.body if not _is_text(node)]
        assert bool(found) == bool(says), path
        # What Python itself sees without docstrings is what the tokens say.
        again = ast.parse(ast.unparse(_without_docstrings(tree)))
        joined = _rejoined(found)
        assert ast.dump(ast.parse(joined)) == ast.dump(again), path


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [item for item in body if not _is_text(item)]
            node.body = kept or ([] if isinstance(node, ast.Module) else [ast.Pass()])
    return tree


def _rejoined(found: list[str]) -> str:
    """Tokens as a source text again; a block that held a docstring alone holds `pass`."""
    lines, depth, line = [], 0, []
    for item, after in zip(found, [*found[1:], ""][: len(found)], strict=True):
        if item == "\n":
            lines.append("    " * depth + " ".join(line))
            line = []
        elif item == " >":
            depth += 1
            if after == " <":
                lines.append("    " * depth + "pass")
        elif item == " <":
            depth -= 1
        else:
            line.append(item)
    return "\n".join(lines)
