from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("demo", "0001_initial")]

    operations = [
        migrations.AddField(model_name="instance", name="brought_to", field=models.DateField(blank=True, null=True)),
    ]
