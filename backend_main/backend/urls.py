"""The HTTP routes."""

from django.urls import path

from backend_main.core import views

urlpatterns = [
    path("", views.index),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("api/token/", views.TokenView.as_view()),
    path("api/token/refresh/", views.RefreshView.as_view()),
]
