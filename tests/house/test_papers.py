"""Nothing leaves as a PDF, a printed page or a spreadsheet's file without being on the trail: one module answers with them, and it writes it down."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "openward"
DOOR = "web/papers.py"
PRINTED = re.compile(r"""{%\s*extends\s+["']web/print\.html["']""")
FOR_EVERYONE = {"web/design/print.html"}  # the design system's example: nobody's data
ANSWERS = {"FileResponse", "StreamingHttpResponse"}
FOR_PROGRAMS = {"smart/views/oauth.py", "entrance/views/passkey.py", "chart/views/notes.py"}  # JSON, and the version of a draft


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith("fhir/") and "/migrations/" not in name:
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def words(call: ast.Call) -> set[str]:
    return {word.arg or "" for word in call.keywords}


def assigned(tree: ast.Module) -> Iterator[str]:
    """What stands in brackets where something is assigned: `response["Content-Type"] = …`."""
    targets = (target for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets)
    return (
        target.slice.value
        for target in targets
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str)
    )


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def test_no_module_but_one_answers_with_anything_but_a_page() -> None:
    """A response with a content type of its own is a PDF, a file for a spreadsheet, a document."""
    own = {name for name, tree in modules() for call in calls(tree) if called(call) == "HttpResponse" and "content_type" in words(call)}
    assert own == {DOOR, *FOR_PROGRAMS}
    assert {name for name, tree in modules() for call in calls(tree) if called(call) in ANSWERS} == {DOOR}
    assert [name for name, tree in modules() if any(text in ("Content-Type", "application/pdf", "text/csv") for text in assigned(tree))] == []


def test_what_is_made_to_be_printed_is_answered_through_that_module() -> None:
    printed = {path.as_posix().rpartition("/templates/")[2] for path in SOURCE.rglob("*.html") if PRINTED.search(path.read_text(encoding="utf-8"))}
    assert {"chart/visit_summary.html", *FOR_EVERYONE} <= printed
    wrong = [
        (name, text)
        for name, tree in modules()
        for call in calls(tree)
        if called(call) == "render"
        for node in call.args
        if isinstance(node, ast.Constant) and isinstance(text := node.value, str)
        if text in printed - FOR_EVERYONE
    ]
    assert wrong == []


def test_a_file_that_leaves_is_on_the_trail_whatever_it_is() -> None:
    """Each answer of that module writes it down."""
    answers = [node for node in dict(modules())[DOOR].body if isinstance(node, ast.FunctionDef) and node.name.endswith("_response")]
    assert {node.name for node in answers} == {"pdf_response", "document_response", "print_response", "csv_response", "file_response"}
    assert [node.name for node in answers if "leave" not in {called(call) for call in calls(ast.Module([node], []))}] == []
