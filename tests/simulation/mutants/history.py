"""Mutants of the history: each believes an object that another principal wrote."""

from keyturn.aws.keyset import history
from keyturn.aws.keyset.history import History
from keyturn.rotation import publish_jwks, put_back
from tests.simulation.mutants.patching import instead_of


@instead_of("holds", History)
def an_object_of_the_number_is_the_generation(self, generation):
    """As it was: an object's name proved that the generation had been announced."""
    return generation.number in [one.number for one in self.generations()]


@instead_of("holds", History)
def an_object_of_the_name_is_the_generation(self, generation):
    """The object's contents are not compared."""
    name = history._name(generation.number, generation.text)
    return name in [one.name for one in self.objects()]


@instead_of("_keep", History)
def other_bytes_stop_the_recording(self, name, text, kind):
    """As it was: no object is ever overwritten."""
    self._put(name, text.encode(errors="surrogatepass"), kind, {"IfNoneMatch": "*"})
    return False


@instead_of("find_violation", put_back)
def whatever_says_that_it_follows_comes_back(_before, _after):
    """Its parent's hash is taken for proof, though anybody can read the text."""


@instead_of("find_branches", publish_jwks)
def any_object_of_the_number_backs_a_jwks(stack, _lineage):
    """As it was: a forged JWKS and a forged object stop the publication."""
    return stack.history.generations()
