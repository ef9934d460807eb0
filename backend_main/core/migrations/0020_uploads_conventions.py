"""Add kinds of errors, expiry of uploads, indexes of lists, and keys of requests that are repeated."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0019_api_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_id', models.UUIDField()),
                ('key', models.CharField(max_length=255)),
                ('digest', models.CharField(max_length=64)),
                ('upload_id', models.UUIDField(null=True)),
                ('is_duplicate', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='reading',
            name='error_code',
            field=models.CharField(max_length=30, null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='error_code',
            field=models.CharField(max_length=30, null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='expires_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(fields=['owner', 'status', '-created_at', '-id'], name='upload_of_status'),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(fields=['owner', '-updated_at', '-id'], name='upload_changed_last'),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(fields=['owner', 'filename', 'id'], name='upload_by_name'),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(condition=models.Q(('expires_at__isnull', False)), fields=['expires_at'], name='upload_expiring'),
        ),
        migrations.AddIndex(
            model_name='idempotencykey',
            index=models.Index(fields=['created_at'], name='idempotency_key_oldest'),
        ),
        migrations.AddConstraint(
            model_name='idempotencykey',
            constraint=models.UniqueConstraint(fields=('owner_id', 'key'), name='idempotency_key_once'),
        ),
    ]
