"""Add earlier readings, corrections of pages, and grades. NULL: not known, as for rows of earlier versions."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0016_words_and_blocks'),
    ]

    operations = [
        migrations.AddField(
            model_name='page',
            name='corrected_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='page',
            name='corrected_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=150),
        ),
        migrations.AddField(
            model_name='page',
            name='correction',
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name='page',
            name='grade',
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name='page',
            name='seconds',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='confidence',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='latest_reading_number',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='upload',
            name='reading_number',
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name='upload',
            name='uncertain_share',
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name='upload',
            name='warning_codes',
            field=models.TextField(null=True),
        ),
        migrations.CreateModel(
            name='KeptCorrection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upload_id', models.UUIDField()),
                ('number', models.PositiveIntegerField()),
                ('correction', models.TextField(blank=True)),
                ('read_text', models.TextField(blank=True)),
                ('corrected_by', models.CharField(blank=True, default='', max_length=150)),
                ('corrected_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('upload_id', 'number'), name='kept_correction_once')],
            },
        ),
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upload_id', models.UUIDField()),
                ('number', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('processing', 'Processing'), ('processed', 'Processed'), ('error', 'Error'), ('cancelled', 'Cancelled')], max_length=10)),
                ('error', models.TextField(null=True)),
                ('engine', models.CharField(blank=True, default='', max_length=50)),
                ('languages', models.JSONField(default=list)),
                ('read_options', models.JSONField(default=dict)),
                ('page_count', models.PositiveIntegerField(null=True)),
                ('confidence', models.FloatField(null=True)),
                ('uncertain_share', models.FloatField(null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('upload_id', 'number'), name='reading_once_per_upload')],
            },
        ),
        migrations.CreateModel(
            name='ReadingPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('markdown', models.TextField(blank=True)),
                ('text', models.TextField(blank=True)),
                ('lines', models.JSONField(default=list)),
                ('blocks', models.JSONField(null=True)),
                ('words', models.BinaryField(null=True)),
                ('warnings', models.JSONField(default=list)),
                ('correction', models.TextField(null=True)),
                ('corrected_by', models.CharField(blank=True, db_default='', default='', max_length=150)),
                ('corrected_at', models.DateTimeField(null=True)),
                ('grade', models.JSONField(null=True)),
                ('seconds', models.FloatField(null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('reading', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pages', to='core.reading')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('reading', 'number'), name='page_once_per_reading')],
            },
        ),
    ]
