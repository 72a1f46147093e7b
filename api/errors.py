"""What a caller is told when something is wrong: one shape for the API, one page for people, never a traceback."""

import math
import secrets
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from api.rendering import render

log = structlog.get_logger()

MESSAGES = {
    400: "请求无法处理",
    401: "请先登录",
    403: "没有权限进行这项操作",
    404: "没有找到，或不在您的辖区范围内",
    405: "不支持这种请求方式",
    409: "状态已变化，请刷新后再试",
    413: "文件过大",
    422: "填写的内容有误",
    429: "尝试次数过多，请稍后再试",
    500: "服务出错，已记录",
    503: "系统繁忙，请稍后再试",
    507: "存储空间不足",
}


class SignInNeeded(Exception):
    """The caller has to sign in first."""


class Refused(HTTPException):
    """An act that cannot be done, with a sentence for the person who asked."""

    def __init__(self, status: int, message: str | None = None) -> None:
        super().__init__(status, message or MESSAGES.get(status, MESSAGES[400]))


def not_found() -> Refused:
    """Return the answer for what does not exist or is out of reach; the two must look the same."""
    return Refused(404)


def wants_json(request: Request) -> bool:
    """True for callers of the API."""
    return request.url.path.startswith("/api/")


def install(app: FastAPI) -> None:
    """Add the handlers to the application."""
    app.add_exception_handler(SignInNeeded, _sign_in)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(Exception, _unexpected)


def answer(
    request: Request, status: int, message: str, *, details: list[dict[str, Any]] | None = None, error_id: str = ""
) -> Response:
    """Return the error as JSON for the API, as a page for people."""
    if wants_json(request):
        body: dict[str, Any] = {"error": {"status": status, "message": message, "details": details or []}}
        if error_id:
            body["error"]["id"] = error_id
        return JSONResponse(body, status)
    context = {"status": status, "message": message, "details": details or [], "error_id": error_id}
    return render(request, "error.html", context, status=status)


def _sign_in(request: Request, _error: Exception) -> Response:
    if wants_json(request):
        response = answer(request, 401, MESSAGES[401])
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    if request.headers.get("HX-Request"):
        return Response(status_code=204, headers={"HX-Redirect": "/sign-in"})
    from urllib.parse import quote

    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(target, safe='/')}" if request.method == "GET" else "/sign-in", 303)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    own = isinstance(error, Refused)
    message = error.detail if own else MESSAGES.get(error.status_code, HTTPStatus(error.status_code).phrase)
    response = answer(request, error.status_code, message)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response


def _invalid(request: Request, error: Exception) -> Response:
    """Name the fields without repeating the values: FastAPI's own handler echoes NaN and lone surrogates and dies."""
    assert isinstance(error, RequestValidationError)
    details = [
        {
            "field": _printable(".".join(str(part) for part in item.get("loc", ()))),
            "message": _printable(_chinese(item)),
        }
        for item in error.errors()[:20]
    ]
    return answer(request, 422, MESSAGES[422], details=details)


def _busy(request: Request, error: Exception) -> Response:
    log.warning("store_busy", error=type(error).__name__)
    text = str(getattr(error, "orig", error)).lower()
    if "full" in text:
        return answer(request, 507, MESSAGES[507])
    response = answer(request, 503, MESSAGES[503])
    response.headers["Retry-After"] = "5"
    return response


def _unexpected(request: Request, error: Exception) -> Response:
    error_id = secrets.token_hex(4)
    log.error("request_failed", error_id=error_id, error=type(error).__name__, exc_info=error)
    return answer(request, 500, f"{MESSAGES[500]}（编号 {error_id}）", error_id=error_id)


_CHINESE = {
    "missing": "缺少这一项",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "float_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "less_than_equal": "数值过大",
    "greater_than_equal": "数值过小",
    "string_too_long": "内容过长",
    "string_too_short": "内容过短",
    "literal_error": "不在可选值之内",
    "enum": "不在可选值之内",
    "extra_forbidden": "不接受这一项",
    "json_invalid": "不是有效的 JSON",
    "date_from_datetime_parsing": "日期应写作 年-月-日",
    "date_parsing": "日期应写作 年-月-日",
}


def _chinese(item: dict[str, Any]) -> str:
    return _CHINESE.get(str(item.get("type", "")), "内容不符合要求")


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")[:200]


def finite(value: float | None) -> float | None:
    """Return the number, or None where it is missing or no number at all: JSON has no NaN."""
    return value if value is not None and math.isfinite(value) else None
