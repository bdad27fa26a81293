"""turn SCAN FOLDER CODE...: the scan in each order of axes. compare FOLDER CODE...: what became of them, as JSON."""

import json
import os
import sys

import nibabel
import numpy as np
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform


def turned(image, code):
    change = ornt_transform(io_orientation(image.affine), axcodes2ornt(code))
    return image.as_reoriented(change)


def corners(image):
    ends = [(-0.5, n - 0.5) for n in image.shape]
    points = np.array([[x, y, z] for x in ends[0] for y in ends[1] for z in ends[2]])
    return nibabel.affines.apply_affine(image.affine, points)


def compare(folder, code):
    def load(name):
        return nibabel.load(os.path.join(folder, name + ".nii.gz"))

    scan, labels = load(code), load(code + "-labels")
    soft = load(code + "-labels_probability_liver")
    values = np.asanyarray(turned(labels, "RAS").dataobj)
    expected = np.asanyarray(load("RAS-labels").dataobj)
    assert "".join(nibabel.aff2axcodes(labels.affine)) == code
    return {
        "code": code,
        "sameAffine": bool(np.array_equal(scan.affine, labels.affine)) and scan.shape == labels.shape,
        "sameLabels": bool(np.array_equal(values, expected)),
        "classes": len(np.unique(values)),
        "corner": float(np.abs(corners(scan) - corners(soft)).max()),
    }


if sys.argv[1] == "turn":
    scan, folder, *codes = sys.argv[2:]
    image = nibabel.load(scan)
    for code in codes:
        nibabel.save(turned(image, code), os.path.join(folder, code + ".nii.gz"))
else:
    folder, *codes = sys.argv[2:]
    print(json.dumps([compare(folder, code) for code in codes]))
