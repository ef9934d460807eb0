"""Rename fields in the models only: every column keeps its name, so no SQL runs."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0012_asked_default'),
    ]

    operations = [
        migrations.AlterField(
            model_name='upload',
            name='asked',
            field=models.JSONField(
                db_column='asked', db_default=models.Value({}, models.JSONField()), default=dict
            ),
        ),
        migrations.RenameField(model_name='upload', old_name='asked', new_name='read_options'),
        migrations.AlterField(
            model_name='upload',
            name='run',
            field=models.PositiveIntegerField(db_column='run', db_default=0, default=0),
        ),
        migrations.RenameField(model_name='upload', old_name='run', new_name='first_attempt'),
        migrations.AlterField(
            model_name='upload',
            name='reading_text',
            field=models.TextField(blank=True, db_column='reading_text', default=''),
        ),
        migrations.RenameField(model_name='upload', old_name='reading_text', new_name='plain_text'),
        migrations.AlterField(
            model_name='event',
            name='origin',
            field=models.CharField(blank=True, db_column='origin', default='', max_length=32),
        ),
        migrations.RenameField(model_name='event', old_name='origin', new_name='origin_connection'),
    ]
