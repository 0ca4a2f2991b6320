"""TF-IDF and a linear model: what a text classifier without a neural network reaches.

Words are runs of letters and digits, or single characters in scripts without spaces, and pairs of these; so Chinese
text gives character bigrams, the usual strong baseline there. The solver is deterministic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench_plugins.evaluators.sampling import WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

READ_CHARACTERS = 20_000  # of each document; beyond this the baseline gets slower, not better
MAX_FEATURES = 50_000
INVERSE_PENALTY = 10.0  # TF-IDF rows have length 1, so weights must be large: less penalty than sklearn's 1.0


def predict_tfidf(train_texts: Sequence[str], train_labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return the label of each of `texts` after learning from the training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if len(set(train_labels)) == 1:
        return [train_labels[0]] * len(texts)
    vectorizer = TfidfVectorizer(
        token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True, max_features=MAX_FEATURES, dtype="float32"
    )
    features = vectorizer.fit_transform(text[:READ_CHARACTERS] for text in train_texts)
    classifier = LogisticRegression(C=INVERSE_PENALTY, max_iter=200).fit(features, train_labels)
    predicted = classifier.predict(vectorizer.transform(text[:READ_CHARACTERS] for text in texts))
    return [str(label) for label in predicted]
