"""Training programs that really train. Each keeps the contract of automl/training.py and runs without the rest.

    python -m automl.trainers.fashion_mnist --spec SPEC.yaml --results DIR

Shared by all:

program.py                   a program's outside: command line, status lines at both ends, exit codes
spec_settings.py             what a train spec may hold, said once
train_settings.py            the sections that all of them have
learning_rates.py            schedules of the learning rate
checkpoints.py failures.py   what a checkpoint holds, and going on from one; how a training fails
machine.py                   threads, device, seeds
data/                        pictures, and their licence

The default example, which needs torch alone and starts quickly:

fashion_mnist.py fashion_mnist_settings.py fashion_mnist_loop.py
convnet.py                   the network, its pictures, and one epoch
update_rules.py              SGD and AdamW, without what makes torch.optim slow to start

Those of the extra `trainers`, by Lightning; task.py says how one is added:

task.py                      what a task is: a network, a loss, a judgement, and data in parts
loop_settings.py             what the section `train` of their specs has beside
data_digest.py               whether a training goes on with the data that it began with
lightning_loop.py epoch_by_epoch.py parts_loading.py    from the first epoch to the last
picture_settings.py pictures.py augmentation.py timm_networks.py    what programs that classify pictures share
labels_table.py              a user's pictures with a table of labels
classification.py classification_task.py
picture_files.py strips.py   pictures and masks in files; strips that show what was found
crops.py crop_settings.py nuclei.py    pictures with a number at each pixel
semantic_segmentation.py semantic_segmentation_task.py
detectors.py detector_settings.py detection.py instances.py    torchvision's detectors, what they are told and judged by
scenes.py coco_pictures.py   what to find objects in: made of Fashion-MNIST, or a user's own
object_detection.py object_detection_task.py
instance_segmentation.py instance_segmentation_task.py
multitask_classification.py multitask_classification_task.py
plate_recognition.py plate_recognition_task.py plate_drawing.py
"""
