"""Answer what no other function answers: an unknown address, or a method that an address does not have."""

import azure.functions as func

from shared.errors import AddressNotFound, MethodNotAllowed
from shared.http import Response, open_endpoint
from shared.routes import methods_at

bp = func.Blueprint()


# Of the functions whose address fits, the platform calls the first by name. So this name must be the last.
@bp.function_name("zz_unknown_address")
@bp.route(route="{*path}")
@open_endpoint(parameters=None)
async def unknown_address(req: func.HttpRequest) -> Response:
    """404, or 405 with `Allow`, for every caller."""
    methods = methods_at(req.route_params.get("path", ""))
    if methods:
        raise MethodNotAllowed(methods)
    raise AddressNotFound
