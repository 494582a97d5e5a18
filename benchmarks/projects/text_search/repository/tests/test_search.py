"""What the search engine must go on doing."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from search import Index, parse, words  # noqa: E402


def filled():
    index = Index()
    index.add("bread", "Baking white bread", "Mix flour and water, knead the dough and bake it.")
    index.add("cake", "A plain cake", "Beat eggs with sugar, add flour and flour, bake an hour.")
    index.add("soup", "Onion soup", "Slice onions, fry them, add water and cook slowly.")
    return index


class SearchTest(unittest.TestCase):
    def test_words_are_small_and_stemmed(self):
        self.assertEqual(words("The Dogs walked, and cats"), ["dog", "walk", "cat"])

    def test_short_words_keep_their_endings(self):
        self.assertEqual(words("gas red king bring"), ["gas", "red", "king", "bring"])

    def test_a_word_finds_its_documents(self):
        self.assertEqual(filled().search("flour"), ["cake", "bread"])
        self.assertEqual(filled().search("onions"), ["soup"])

    def test_a_title_counts_for_more(self):
        self.assertEqual(filled().search("flour white"), ["bread", "cake"])

    def test_equal_documents_are_in_the_order_of_their_names(self):
        self.assertEqual(filled().search("bake water"), ["bread", "cake", "soup"])

    def test_an_unwanted_word_excludes_a_document(self):
        self.assertEqual(filled().search("flour -eggs"), ["bread"])

    def test_a_phrase_must_be_in_the_title(self):
        self.assertEqual(filled().search('"white bread"'), ["bread"])
        self.assertEqual(filled().search('"bread white"'), [])

    def test_nothing_is_found_for_an_unknown_word(self):
        self.assertEqual(filled().search("submarine"), [])

    def test_a_removed_document_is_not_found(self):
        index = filled()
        index.remove("soup")
        self.assertEqual(index.search("onion"), [])

    def test_a_document_is_replaced_by_its_name(self):
        index = filled()
        index.add("soup", "Fish soup", "Boil a fish.")
        self.assertEqual(index.search("onion"), [])
        self.assertEqual(index.search("fish"), ["soup"])

    def test_a_query_has_three_parts(self):
        self.assertEqual(parse('fish -egg "white bread"'), (["fish"], ["egg"], ["white", "bread"]))


if __name__ == "__main__":
    unittest.main()
