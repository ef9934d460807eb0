"""Add uploads by tus that may arrive over several requests."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0021_webhooks'),
    ]

    operations = [
        migrations.CreateModel(
            name='ResumableUpload',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('length', models.BigIntegerField()),
                ('received', models.BigIntegerField(default=0)),
                ('filename', models.CharField(blank=True, default='', max_length=255)),
                ('read_options', models.JSONField(default=dict)),
                ('metadata', models.JSONField(default=dict)),
                ('on_duplicate', models.CharField(default='reread', max_length=10)),
                ('upload_id', models.UUIDField(null=True)),
                ('is_duplicate', models.BooleanField(default=False)),
                ('expires_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='resumable_uploads', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['owner'], name='resumable_of_owner'), models.Index(fields=['expires_at'], name='resumable_oldest')],
            },
        ),
    ]
