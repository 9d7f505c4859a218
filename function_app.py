"""The Function App: registers the functions of every folder, and holds nothing else."""

import os

import azure.functions as func

from apply_due_changes import bp as apply_due_changes
from contract import bp as contract
from get_notice import bp as get_notice
from health import bp as health
from pa_create_position import bp as pa_create_position
from publish_notice import bp as publish_notice
from shared.settings import Settings
from update_notice import bp as update_notice

# An app that is not set up right does not start, and says why, all of it.
Settings.from_environment(os.environ)

# Callers are known by their own key, which shared.http checks; the platform's function keys play no part.
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (publish_notice, update_notice, get_notice, pa_create_position, apply_due_changes, health, contract):
    app.register_functions(blueprint)
