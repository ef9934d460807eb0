"""Guards of text, names, Markdown and backups."""

from __future__ import annotations

from . import Mutant

READING = "backend_main/reading"
RESTORE = "backend_main/cli/backup_archive.py"

MUTANTS = [
    Mutant(
        "m7",
        f"{READING}/documents/pdf_characters.py",
        "remove_controls(letter) == letter",
        "True",
        "test_m7_control_characters.py -k preview or text_layer",
    ),
    Mutant(
        "m7",
        f"{READING}/documents/pdf_annotations.py",
        "return remove_controls(text",
        "return str(text",
        "test_m7_control_characters.py -k notes",
    ),
    Mutant(
        "m7",
        f"{READING}/types.py",
        '_remove_controls(self, "text", "markdown")',
        "pass",
        "test_m7_control_characters.py -k recognized",
    ),
    Mutant(
        "m7",
        f"{READING}/output/markdown.py",
        "text = remove_controls(text)",
        "text = str(text)",
        "test_m7_control_characters.py -k hide_markup",
    ),
    Mutant(
        "m7",
        f"{READING}/engines/vision/response.py",
        "self.raw += remove_controls(text)",
        "self.raw += text",
        "test_m7_control_characters.py -k answers",
    ),
    Mutant(
        "m7",
        "backend_main/cli/messages.py",
        "return mark_controls(",
        "return str(",
        "test_m7_control_characters.py -k file_names",
    ),
    Mutant(
        "m7",
        "backend_main/core/log_filters.py",
        "redact(mark_controls(",
        "redact(str(",
        "test_m7_control_characters.py -k log_lines",
    ),
    Mutant(
        "m11",
        f"{READING}/output/escaping.py",
        '_TOO_NESTED.sub(r"\\1\\\\", escaped)',
        "escaped",
        "test_m11_markdown_parser.py -k few_nested",
    ),
    Mutant(
        "m11",
        "web/src/text/parsing.ts",
        "rest >= 0 && isWithinLimits(block)",
        "true",
        "test_m11_markdown_parser.py -k does_not_parse",
    ),
    Mutant(
        "m11",
        "web/src/text/parsing.ts",
        'block.split("\\n").map(limitNesting).join("\\n")',
        "block",
        "test_m11_markdown_parser.py -k does_not_parse",
    ),
    Mutant(
        "l9",
        f"{READING}/engines/vision/html_tables.py",
        'parser.feed(_UNFINISHED_TAG.sub("&lt;", html))',
        "parser.feed(html)",
        "test_l9_vision_answers.py -k shape",
    ),
    Mutant("m10", RESTORE, "member.name in names or ", "", "test_m10_restore.py -k member"),
    Mutant("m10", RESTORE, "not _is_known(member)", "False", "test_m10_restore.py -k member"),
    Mutant("m10", RESTORE, "os.fchmod(descriptor, FILE_MODE)", "pass", "test_m10_restore.py -k umask"),
    Mutant("m10", RESTORE, "path.chmod(DIRECTORY_MODE)", "pass", "test_m10_restore.py -k umask"),
    Mutant("m10", RESTORE, "not files <= keys or ", "", "test_m10_restore.py -k member"),
    Mutant(
        "m10",
        RESTORE,
        " or not all(_KEY.fullmatch(key) for key in keys)",
        "",
        "test_m10_restore.py -k elsewhere",
    ),
    Mutant("m10", RESTORE, "('view', 'trigger')", "('none')", "test_m10_restore.py -k with_code"),
    Mutant(
        "l4",
        RESTORE,
        "except Exception:  # tarfile",
        "except ZeroDivisionError:  # tarfile",
        "test_m10_restore.py -k l4",
    ),
]
