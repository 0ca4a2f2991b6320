"""TF-IDF and a linear model: what a text classifier without a neural network reaches.

Words are runs of letters and digits, or single characters in scripts without spaces, and pairs of these; so Chinese
text gives character bigrams, the usual strong baseline there. The linear model is a support vector machine (Joachims
1998), whose solver is given a fixed seed: it takes a tenth of the time of logistic regression here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench_plugins.evaluators.sampling import WORD

if TYPE_CHECKING:
    from collections.abc import Sequence

READ_CHARACTERS = 20_000  # of each document; beyond this the baseline gets slower, not better
MAX_FEATURES = 50_000


def predict_tfidf(train_texts: Sequence[str], train_labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Return the label of each of `texts` after learning from the training texts."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    if len(set(train_labels)) == 1:
        return [train_labels[0]] * len(texts)
    vectorizer = TfidfVectorizer(token_pattern=WORD, ngram_range=(1, 2), sublinear_tf=True, max_features=MAX_FEATURES)
    features = vectorizer.fit_transform(text[:READ_CHARACTERS] for text in train_texts)
    classifier = LinearSVC(random_state=0).fit(features, train_labels)
    predicted = classifier.predict(vectorizer.transform(text[:READ_CHARACTERS] for text in texts))
    return [str(label) for label in predicted]
