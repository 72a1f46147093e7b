"""A product's inherent risk by severity × probability, with one step of doubt each way: worked out, not stored."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.deps import Caller, Config
from api.rendering import render
from nlp.taxonomy import load_taxonomy
from scoring.inherent import LEVEL_ZH, Risk, RiskError, Scenario, assess, bands, cell

router = APIRouter(include_in_schema=False)

MOST_STEPS = 8


@router.get("/inherent")
def inherent_page(
    request: Request,
    principal: Caller,
    settings: Config,
    product: Annotated[str, Query(max_length=100, description="产品代码")] = "",
    severity: Annotated[str, Query(max_length=1, description="伤害严重程度 1 至 4")] = "",
    steps: Annotated[str, Query(max_length=200, description="各步发生的概率，用空格或逗号分开")] = "",
    items: Annotated[str, Query(max_length=12, description="在用件数")] = "",
) -> Response:
    """Show the matrix, and where a scenario of harm stands in it."""
    risk, error = None, ""
    if severity or steps or items:
        try:
            risk = _risk(severity, steps, items)
        except RiskError as refused:
            error = str(refused)
    taxonomy = load_taxonomy(settings.lexicon_dir)
    chosen = taxonomy.products.get(product)
    context = {
        "products": [(one.id, one.name) for one in taxonomy.products.values()],
        "chosen": chosen,
        "hazards": [taxonomy.hazards[one] for one in chosen.hazards if one in taxonomy.hazards] if chosen else [],
        "wanted": {"product": product, "severity": severity, "steps": steps, "items": items},
        "risk": risk,
        "error": error,
        "bands": bands(),
        "cell": cell,
        "level_zh": LEVEL_ZH,
    }
    return render(request, "inherent.html", context)


def _risk(severity: str, steps: str, items: str) -> Risk:
    """Return the risk of one scenario as it was typed; RiskError says what cannot be read."""
    if severity not in ("1", "2", "3", "4"):
        raise RiskError("请选择伤害严重程度")
    try:
        chances = tuple(float(one) for one in steps.replace("，", " ").replace(",", " ").split())
        in_use = int(items) if items else None
    except ValueError:
        raise RiskError("概率应写作 0 到 1 之间的小数，件数应是整数") from None
    if not 1 <= len(chances) <= MOST_STEPS or not all(0 <= one <= 1 for one in chances):
        raise RiskError(f"请填 1 至 {MOST_STEPS} 步的概率，每步在 0 与 1 之间")
    if in_use is not None and in_use < 0:
        raise RiskError("件数不能为负")
    return assess([Scenario(chances, int(severity))], items_in_use=in_use)
