"""Add words and blocks to pages. NULL: a page of an earlier version."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0015_quotas'),
    ]

    operations = [
        migrations.AddField(
            model_name='page',
            name='blocks',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='page',
            name='words',
            field=models.BinaryField(null=True),
        ),
    ]
