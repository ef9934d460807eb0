"""HTTP routes."""

from django.urls import path

from backend_main.core.http import downloads, error_views, health, rest, sign_in

handler400, handler404, handler500 = error_views.bad_request, error_views.not_found, error_views.server_error
urlpatterns = [
    path("", error_views.web_page_not_built),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/token/", sign_in.TokenView.as_view()),
    path("api/token/code/", sign_in.SignInCodeView.as_view()),
    path("api/token/refresh/", sign_in.RefreshView.as_view()),
    path("api/me/", rest.MeView.as_view()),
    path("api/sessions/", rest.SessionsView.as_view()),
    path("api/sessions/<uuid:session_id>/", rest.SessionView.as_view()),
    path("api/engines/", rest.EnginesView.as_view()),
    path("api/uploads/", rest.UploadsView.as_view()),
    path("api/uploads/<uuid:upload_id>/", rest.UploadView.as_view()),
    path("api/uploads/<uuid:upload_id>/cancel", rest.CancelView.as_view()),
    path("api/uploads/<uuid:upload_id>/retry", rest.RetryView.as_view()),
    path("api/uploads/<uuid:upload_id>/file", downloads.download_original),
    path("api/uploads/<uuid:upload_id>/pages/<int:number>", rest.PageView.as_view()),
    path("api/uploads/<uuid:upload_id>/pages/<int:number>/image", downloads.page_image),
]
