"""Which files are meant by what stands in texts."""

import pytest

from loreley.core.agents.relevance.names import FileNames

FILES = FileNames(
    [
        "src/shop/__init__.py",
        "src/shop/cart.py",
        "src/shop/money/tax.py",
        "web/src/index.ts",
        "web/src/cart/total.ts",
        "lib/cart.h",
        *(f"many/{n}/same.py" for n in range(5)),
    ]
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cart.py", ["src/shop/cart.py"]),
        ("shop/cart.py", ["src/shop/cart.py"]),
        ("./src/shop/cart.py", ["src/shop/cart.py"]),
        ("op/cart.py", []),
        ("same.py", []),
        ("many/3/same.py", ["many/3/same.py"]),
    ],
)
def test_a_path_or_its_end_leads_to_the_file(text: str, found: list[str]) -> None:
    assert FILES.find(text) == found


def test_a_path_in_another_folder_leads_to_the_file_by_its_end() -> None:
    assert FILES.find_below("/tmp/slot-3/src/shop/money/tax.py") == ["src/shop/money/tax.py"]
    assert FILES.find_below("/usr/lib/python3/json/decoder.py") == []


@pytest.mark.parametrize(
    ("dotted", "found"),
    [
        ("shop.cart", "src/shop/cart.py"),
        ("shop.cart.Cart.total", "src/shop/cart.py"),
        ("shop", "src/shop/__init__.py"),
        ("shop.money.tax.rate", "src/shop/money/tax.py"),
    ],
)
def test_a_module_or_what_is_in_it_leads_to_the_file(dotted: str, found: str) -> None:
    assert FILES.find_module(dotted) == [found]


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("src/shop/cart.py", "from .money import tax\n", "src/shop/money/tax.py"),
        ("src/shop/money/tax.py", "from ..cart import Cart as C\n", "src/shop/cart.py"),
        ("main.py", "import os, shop.cart\n", "src/shop/cart.py"),
        ("web/src/index.ts", 'import { total } from "./cart/total";\n', "web/src/cart/total.ts"),
        ("web/src/index.ts", "const t = require('./cart/total')\n", "web/src/cart/total.ts"),
        ("lib/main.c", '#include "cart.h"\n', "lib/cart.h"),
    ],
)
def test_imports_lead_to_files(path: str, text: str, found: str) -> None:
    assert found in list(FILES.find_imported(path, text))
