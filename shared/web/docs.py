"""The page at `/docs`: the API's description, with a form to try each route.

Staff paste tokens there, so nothing of the page comes from another host: script, style and icon are files of
an installed package, served here, and the Content-Security-Policy lets the browser load and ask no other
address. A token lives in the page alone and is gone when it is closed.
"""

from pathlib import Path
from typing import Final

import fastapi_offline
from fastapi import Response

from shared.web.routing import Router

PAGE: Final = "/docs"
_FILES: Final = Path(fastapi_offline.__file__).parent / "static"
_TYPES: Final = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # the style's own arrows and locks
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

# `validatorUrl`: Swagger UI would send the description to a validator of its makers.
_START: Final = """\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true,
  docExpansion: "list",
  persistAuthorization: false,
  validatorUrl: null,
})
"""


def _page(title: str) -> str:
    return f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="{PAGE}/favicon.png">
<link rel="stylesheet" href="{PAGE}/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="{PAGE}/swagger-ui-bundle.js"></script>
<script src="{PAGE}/start.js"></script>
</body>
</html>
"""


def pages(title: str) -> Router:
    """The page and its files."""
    router = Router(prefix=PAGE, include_in_schema=False)
    page = _page(title)

    @router.get("")
    async def show_page() -> Response:
        return Response(page, headers={"Content-Security-Policy": POLICY}, media_type="text/html")

    @router.get("/start.js")
    async def show_start() -> Response:
        return Response(_START, media_type="text/javascript")

    def serve(name: str, media_type: str) -> None:
        @router.get(f"/{name}")
        async def show_file() -> Response:
            return Response((_FILES / name).read_bytes(), media_type=media_type)

    for name, media_type in _TYPES.items():
        serve(name, media_type)
    return router
