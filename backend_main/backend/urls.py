"""HTTP routes."""

from backend_main.core.http import (
    downloads,
    error_views,
    events,
    exports,
    health,
    keys,
    problems,
    read,
    readings,
    rest,
    schemas,
    search,
    sign_in,
    tus,
    upload,
    webhooks,
    wires,
)
from backend_main.core.http.routes import route
from backend_main.core.http.stream_routes import StreamRoutes
from backend_main.core.http.user_turns import in_turn, list_in_turn
from backend_main.core.http.waiting import waits

handler400, handler404, handler500 = error_views.bad_request, error_views.not_found, error_views.server_error
stream_routes = StreamRoutes(
    upload.UPLOADS,
    read.READ,
    events.EVENTS,
    events.UPLOAD_EVENTS,
    tus.RESUMABLE_UPLOADS,
    tus.RESUMABLE_UPLOAD,
    *wires.routes(),
)
urlpatterns = [
    route("", error_views.web_page_not_built),
    route("healthz", health.healthz),
    route("readyz", health.readyz),
    route("api/token/", sign_in.TokenView.as_view()),
    route("api/token/code/", sign_in.SignInCodeView.as_view()),
    route("api/token/refresh/", sign_in.RefreshView.as_view()),
    route("api/me/", in_turn(rest.MeView.as_view())),
    route("api/sessions/", in_turn(rest.SessionsView.as_view())),
    route("api/sessions/<uuid:session_id>/", in_turn(rest.SessionView.as_view())),
    route("api/keys", in_turn(keys.KeysView.as_view())),
    route("api/keys/<uuid:key_id>", in_turn(keys.KeyView.as_view())),
    route("api/engines/", in_turn(rest.EnginesView.as_view())),
    route("api/problems", problems.problems_view),
    route("api/schemas/page.json", schemas.page_schema_view),
    route("api/openapi.json", schemas.openapi_view),
    route("api/asyncapi.json", schemas.asyncapi_view),
    route("api/webhooks", in_turn(webhooks.WebhooksView.as_view())),
    route("api/webhooks/<uuid:webhook_id>", in_turn(webhooks.WebhookView.as_view())),
    route("api/webhooks/<uuid:webhook_id>/secret", in_turn(webhooks.WebhookSecretView.as_view())),
    route("api/webhooks/<uuid:webhook_id>/test", in_turn(webhooks.WebhookTestView.as_view())),
    route("api/webhooks/<uuid:webhook_id>/deliveries", in_turn(webhooks.WebhookDeliveriesView.as_view())),
    route(
        "api/webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/redeliver",
        in_turn(webhooks.RedeliveryView.as_view()),
    ),
    route("api/search", list_in_turn(search.SearchView.as_view())),
    route("api/uploads/", list_in_turn(rest.UploadsView.as_view(), rest.is_short_list)),
    route("api/uploads/<uuid:upload_id>/", waits(in_turn(rest.UploadView.as_view()))),
    route("api/uploads/<uuid:upload_id>/cancel", in_turn(rest.CancelView.as_view())),
    route("api/uploads/<uuid:upload_id>/retry", in_turn(rest.RetryView.as_view())),
    route("api/uploads/<uuid:upload_id>/readings", in_turn(readings.ReadingsView.as_view())),
    route("api/uploads/<uuid:upload_id>/readings/<int:reading>", in_turn(readings.ReadingView.as_view())),
    route(
        "api/uploads/<uuid:upload_id>/readings/<int:reading>/pages/<int:number>",
        in_turn(readings.ReadingPageView.as_view()),
    ),
    route(
        "api/uploads/<uuid:upload_id>/readings/<int:reading>/current",
        in_turn(readings.CurrentReadingView.as_view()),
    ),
    route(
        "api/uploads/<uuid:upload_id>/readings/<int:reading>/compare/<int:other>",
        in_turn(readings.ComparisonView.as_view()),
    ),
    route("api/uploads/<uuid:upload_id>/file", downloads.download_original),
    route("api/uploads/<uuid:upload_id>/export", exports.export_upload),
    route("api/export", exports.export_uploads),
    route("api/uploads/<uuid:upload_id>/pages/<int:number>", in_turn(rest.PageView.as_view())),
    route("api/uploads/<uuid:upload_id>/pages/<int:number>/image", downloads.page_image),
    route("api/uploads/<uuid:upload_id>/pages/<int:number>/figures/<int:index>", downloads.figure),
]
