"""Bounds of the numbers of `fourcodec generate evaluate` on a data set, which need no model.

    python -m benchmarks.generative_anchors DATA LATENT_SIZE [--seed S] [--samples N]

Prints the accuracy of the judging classifier, the scores of training images against test images (the floor), the scores
of principal component analysis with LATENT_SIZE components, and the processor time of each.
"""

import argparse
import time
from dataclasses import asdict
from pathlib import Path

from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.classifier_cache import cached_classifier
from fourcodec.generative.datasets import load_dataset
from fourcodec.generative.evaluation import (
    FLOOR,
    PCA_GAUSSIAN,
    EvaluationSettings,
    data_scores,
    pca_reconstruction,
)
from fourcodec.generative.judging import Judge


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("latent_size", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=10_000)
    arguments = parser.parse_args()
    started = time.process_time()

    dataset = load_dataset(arguments.data)
    print(f"{dataset.name}: {len(dataset.train)} training and {len(dataset.test)} test images {dataset.image_shape}")
    classifier = cached_classifier(dataset, seed=arguments.seed, progress=print)
    print(
        f"classifier of {classifier.task}: test accuracy {classifier.accuracy:.4f}, weights {classifier.weights_hash}"
    )
    print(f"  {time.process_time() - started:.0f} s of one core so far (few where it was cached)")

    components = PrincipalComponents.fit(dataset.train, arguments.latent_size)
    copies = pca_reconstruction(components, dataset.test)
    title = f"PCA-{arguments.latent_size}"
    print(f"{title}: {copies.psnr_db:.2f} dB on all test images (mean of images {copies.image_psnr_db:.2f})")
    settings = EvaluationSettings(arguments.samples, seed=arguments.seed)
    scores = data_scores(Judge(classifier, dataset), components, dataset, settings)
    for row, suffix in ((f"{title}, Gaussian", PCA_GAUSSIAN), ("training images", FLOOR)):
        print(f"{row:20}" + "  ".join(f"{name} {value:.3f}" for name, value in asdict(scores[suffix]).items()))
    print(f"{time.process_time() - started:.0f} s of one core in all")


if __name__ == "__main__":
    main()
