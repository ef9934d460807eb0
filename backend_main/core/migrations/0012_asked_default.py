from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0011_ranges'),
    ]

    operations = [
        migrations.AlterField(
            model_name='upload',
            name='asked',
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
    ]
