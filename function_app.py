"""The Function App: registers the functions of every folder, and holds nothing else.

Nothing may stop this import: the platform would answer every address with an empty 404.
"""

import azure.functions as func

from apply_due_changes import bp as apply_due_changes
from consume_events import bp as consume_events
from contract import bp as contract
from get_notice import bp as get_notice
from health import bp as health
from pa_create_position import bp as pa_create_position
from project_debtors import bp as project_debtors
from publish_notice import bp as publish_notice
from pull_payments import bp as pull_payments
from relay_events import bp as relay_events
from shared.bootstrap import settings
from stand_in import bp as stand_in
from unknown_address import bp as unknown_address
from update_notice import bp as update_notice

settings()  # logs every fault; with one, every function answers 503 not_configured

# Callers are known by their own key, which shared.http checks; the platform's function keys play no part.
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (
    publish_notice,
    update_notice,
    get_notice,
    pa_create_position,
    pull_payments,
    stand_in,
    apply_due_changes,
    consume_events,
    relay_events,
    project_debtors,
    health,
    contract,
    unknown_address,
):
    app.register_functions(blueprint)
