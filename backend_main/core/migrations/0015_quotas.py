"""Add sizes of texts and events, and the table of page images. Existing rows are NULL: not counted yet."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0014_sessions'),
    ]

    operations = [
        migrations.CreateModel(
            name='PageImage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('owner_id', models.UUIDField()),
                ('upload_id', models.UUIDField()),
                ('key', models.CharField(max_length=255)),
                ('name', models.CharField(max_length=100)),
                ('bytes', models.BigIntegerField()),
                ('used_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddField(
            model_name='eventcounter',
            name='event_bytes',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='page_bytes',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='text_bytes',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name='upload',
            index=models.Index(fields=['owner', 'bytes', 'text_bytes', 'page_bytes'], name='upload_usage'),
        ),
        migrations.AddIndex(
            model_name='pageimage',
            index=models.Index(fields=['used_at'], name='page_image_oldest'),
        ),
        migrations.AddIndex(
            model_name='pageimage',
            index=models.Index(fields=['owner_id', 'used_at'], name='page_image_oldest_of_owner'),
        ),
        migrations.AddConstraint(
            model_name='pageimage',
            constraint=models.UniqueConstraint(fields=('upload_id', 'name'), name='page_image_once'),
        ),
    ]
