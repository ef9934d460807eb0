"""The HTTP routes."""

from django.urls import path

from backend_main.core import files, rest, tokens, views

handler400, handler404, handler500 = views.bad_request, views.not_found, views.server_error
urlpatterns = [
    path("", views.web_page_not_built),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("api/token/", tokens.TokenView.as_view()),
    path("api/token/code/", tokens.SignInCodeView.as_view()),
    path("api/token/refresh/", tokens.RefreshView.as_view()),
    path("api/me/", rest.MeView.as_view()),
    path("api/engines/", rest.EnginesView.as_view()),
    path("api/uploads/", rest.UploadsView.as_view()),
    path("api/uploads/<uuid:upload_id>/", rest.UploadView.as_view()),
    path("api/uploads/<uuid:upload_id>/cancel", rest.CancelView.as_view()),
    path("api/uploads/<uuid:upload_id>/retry", rest.RetryView.as_view()),
    path("api/uploads/<uuid:upload_id>/file", files.download_original),
    path("api/uploads/<uuid:upload_id>/pages/<int:number>", rest.PageView.as_view()),
    path("api/uploads/<uuid:upload_id>/pages/<int:number>/image", files.page_image),
]
