"""What backprop.py promises, one promise a test.

First come numbers that others have published, then the check of every
activation function and every loss by nudging, then the module from its first
function to its last, its refusals, its demo, and the README.  Long tables of
numbers from other programs stand at the end.

An expected number is worked out on paper, published, or computed by another
program, and then its source is given.  Where there is no other source (which
seeds stick, how many epochs an exercise takes), the number is our own, and the
test says that it only guards what is printed.

Tolerances: a double carries about 16 digits.  1e-14 of the number, or 1e-16 if
that is more, leaves room for some dozens of roundings.  Other tolerances give
their reason.
"""

import ast
import copy
import doctest
import fractions
import itertools
import math
import os
import random
import re
import runpy
import subprocess
import sys

import pytest

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)              # for pytest's other import modes

import backprop
from backprop import (
    XOR, backward, forward, gradient_check, init_network, jacobian, leaky_relu,
    linear, loss_and_gradient, mean_loss, numerical_gradient, parameters,
    park_miller, predict, relu, send_back, sgd_step, sigmoid,
    sigmoid_cross_entropy, softmax, softmax_cross_entropy, squared_error,
    swish, tanh, train, uniform)

ACTIVATIONS = [linear, sigmoid, tanh, relu, leaky_relu, swish]
LOSSES = [squared_error, sigmoid_cross_entropy, softmax_cross_entropy]


def read(*path):
    with open(os.path.join(FOLDER, *path), encoding="utf-8") as file:
        return file.read()


def name(value):
    """The name of a function, as the label of a case."""
    return getattr(value, "__name__", None)


def near(expected, relative=1e-14, absolute=1e-16):
    """Equal to this, apart from some roundings: see the head of the file."""
    return pytest.approx(expected, rel=relative, abs=absolute)


def flat(nest):
    """The numbers of nested lists in one list; functions are left out."""
    if isinstance(nest, (list, tuple)):
        return [number for part in nest for number in flat(part)]
    return [nest] if isinstance(nest, (int, float)) else []


def refused(words, function, *arguments, **settings):
    """Assert that the call raises a ValueError with these words."""
    message = "nothing was refused"
    try:
        function(*arguments, **settings)
    except ValueError as error:
        message = str(error)
    missing = [word for word in words if word not in message]
    assert missing == [], (name(function), message)


def example_network():
    """The 2-2-2 network of Mazur's step-by-step example."""
    return [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
            [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]


MAZUR = [([0.05, 0.10], [0.01, 0.99])]


# --- Numbers that others have published --------------------------------------

def as_printed(numbers, texts):
    """Each number with as many digits as its text, None where that is None."""
    return [None if text is None
            else "%.*f" % (len(text.partition(".")[2]), number)
            for number, text in zip(numbers, texts)]


# One training step of a sigmoid network with the squared error, as two texts
# print it: activations, deltas, and new parameters, to the last digit of the
# source, and None where it prints nothing.  They stand layer by layer, and in
# each layer first the rows of weights, then the biases.
PUBLISHED = [
    # Matt Mazur, "A Step by Step Backpropagation Example" (2015), which many
    # tutorials follow.  It holds the biases, so of them it prints nothing.
    dict(source="Mazur", network=example_network(),
         inputs=[0.05, 0.10], targets=[0.01, 0.99], learning_rate=0.5,
         activations=["0.593269992", "0.596884378",
                      "0.751365070", "0.772928465"],
         deltas=[None, None, "0.138498562", None],
         parameters=["0.149780716", "0.19956143",
                     "0.24975114", "0.29950229", None, None,
                     "0.35891648", "0.408666186",
                     "0.511301270", "0.561370121", None, None]),
    # J. Han, M. Kamber, J. Pei, "Data Mining: Concepts and Techniques", 3rd
    # edition (2012), example 9.1.  Its Err is our delta with the other sign,
    # its theta our bias.  Of the output it prints Err 0.1311, computed from an
    # output rounded to 0.474; unrounded it is 0.13117, hence three digits.
    dict(source="Han-Kamber-Pei",
         network=[[[[0.2, 0.4, -0.5], [-0.3, 0.1, 0.2]], [-0.4, 0.2], sigmoid],
                  [[[-0.3, -0.2]], [0.1], sigmoid]],
         inputs=[1, 0, 1], targets=[1], learning_rate=0.9,
         activations=["0.332", "0.525", "0.474"],
         deltas=["0.0087", "0.0065", "-0.131"],
         parameters=["0.192", "0.4", "-0.508",
                     "-0.306", "0.1", "0.194", "-0.408", "0.194",
                     "-0.261", "-0.138", "0.218"]),
]
published = pytest.mark.parametrize(
    "book", PUBLISHED, ids=[book["source"] for book in PUBLISHED])


@published
def test_forward_computes_the_published_activations(book):
    activations, slopes = forward(book["network"], book["inputs"])
    assert as_printed(flat(activations[1:]),
                      book["activations"]) == book["activations"]


@published
def test_backward_computes_the_published_deltas(book):
    activations, slopes = forward(book["network"], book["inputs"])
    C, dC_da = squared_error(activations[-1], book["targets"])
    gradient = backward(book["network"], activations, slopes, dC_da)
    deltas = flat([dC_db for dC_dw, dC_db in gradient])
    assert as_printed(deltas, book["deltas"]) == book["deltas"]


@published
def test_a_step_reaches_the_published_weights_and_biases(book):
    network = copy.deepcopy(book["network"])
    C, gradient = loss_and_gradient(
        network, [(book["inputs"], book["targets"])], squared_error)
    sgd_step(network, gradient, book["learning_rate"])
    assert as_printed(flat(network), book["parameters"]) == book["parameters"]


def test_the_gradient_has_the_derivatives_that_mazur_prints():
    (first, last), slopes = (
        loss_and_gradient(example_network(), MAZUR, squared_error)[1],
        forward(example_network(), [0.05, 0.10])[1])
    texts = ["0.082167041", "0.000438568", "0.241300709", "0.186815602"]
    assert as_printed([last[0][0][0], first[0][0][0], slopes[0][0],
                       slopes[1][0]], texts) == texts


def hold_biases(network):
    """Put the biases back, as Mazur never moves them."""
    network[0][1][:], network[1][1][:] = [0.35, 0.35], [0.60, 0.60]


@pytest.fixture(scope="module")
def held():
    """Mazur's network after 0, 1, ... 10,000 steps: loss, and outputs."""
    network, seen = example_network(), []
    for _ in range(10001):
        activations, slopes = forward(network, [0.05, 0.10])
        C, dC_da = squared_error(activations[-1], [0.01, 0.99])
        seen.append((C, activations[-1]))
        sgd_step(network, backward(network, activations, slopes, dC_da), 0.5)
        hold_biases(network)
    return seen


# What his program prints, neural-network.py in mattm/simple-neural-network
@pytest.mark.parametrize("steps, loss", [
    (0, "0.298371109"), (1, "0.291027774"), (10000, "0.000035102")])
def test_steps_reach_the_losses_that_mazurs_program_prints(held, steps, loss):
    assert as_printed([held[steps][0]], [loss]) == [loss]


@pytest.fixture(scope="module")
def late():
    """The same, but with the new weights of the outputs on the way back.

    An early version of his program moved them before it computed the deltas
    of the hidden nodes.  The post takes the old ones when it computes by hand,
    but the losses and outputs that it prints are those of that program.
    """
    network, inputs, seen = example_network(), [0.05, 0.10], []
    for _ in range(10001):
        activations, slopes = forward(network, inputs)
        C, dC_da = squared_error(activations[-1], [0.01, 0.99])
        seen.append((C, activations[-1]))
        gradient = backward(network, activations, slopes, dC_da)
        sgd_step(network[1:], gradient[1:], 0.5)
        deltas = [d * slope for d, slope in zip(
            send_back(network[1][0], gradient[1][1]), slopes[0])]
        dC_dw = [[delta * x for x in inputs] for delta in deltas]
        sgd_step(network[:1], [[dC_dw, deltas]], 0.5)
        hold_biases(network)
    return seen


def test_new_weights_on_the_way_back_give_the_loss_of_mazurs_post(late):
    assert as_printed([late[1][0]], ["0.291027924"]) == ["0.291027924"]


def test_new_weights_on_the_way_back_give_the_outputs_of_mazurs_post(late):
    # After 10,000 steps.  The loss beside them in the post, 0.0000351085, does
    # not fit them: half the sum of their squared errors is 0.000035085.
    texts = ["0.015912196", "0.984065734"]
    assert as_printed(late[10000][1], texts) == texts
    assert as_printed([squared_error(list(map(float, texts)), [0.01, 0.99])[0],
                       late[10000][0]], ["0.000035085"] * 2) == [
        "0.000035085"] * 2


# --- The gradient, checked by nudging ----------------------------------------

def random_problem(sizes, functions, loss, seed, count=3):
    """A network with random weights and biases, and samples that suit it."""
    rnd = random.Random(seed)
    network = []
    for n_in, n_out, f in zip(sizes, sizes[1:], functions):
        # more above 0 than below, so that few relus are off
        network.append([[[rnd.uniform(-1, 1) for _ in range(n_in)]
                         for _ in range(n_out)],
                        [rnd.uniform(-0.5, 1) for _ in range(n_out)], f])
    samples = []
    for _ in range(count):
        targets = [rnd.uniform(0.1, 1) for _ in range(sizes[-1])]
        if loss is softmax_cross_entropy:
            targets = [t / sum(targets) for t in targets]
        samples.append(([rnd.uniform(-2, 2) for _ in range(sizes[0])],
                        targets))
    return network, samples


def any_problem(seed, count=3):
    """Some network of 2 to 4 layers, its samples, and a loss that suits it.

    The loss is by turns one of the three.  No z of the seeds used here lies
    so close to the kink of relu that a nudge would cross it.
    """
    rnd = random.Random(1000 + seed)
    loss = LOSSES[seed % 3]
    sizes = [rnd.randint(1, 5) for _ in range(rnd.randint(2, 4))]
    sizes.append(rnd.randint(2, 4))     # of one class, the softmax is 1
    functions = [rnd.choice(ACTIVATIONS) for _ in sizes[1:]]
    if loss is not squared_error:
        functions[-1] = linear
    network, samples = random_problem(sizes, functions, loss, seed, count)
    return network, samples, loss


# 1e-8: the error of a difference is about nudge**2 = 1e-10, and 1e-16 / nudge
@pytest.mark.parametrize("f", ACTIVATIONS, ids=name)
@pytest.mark.parametrize("loss", LOSSES, ids=name)
@pytest.mark.parametrize("sizes", [[2, 4, 3], [2, 3, 3, 3, 2]], ids=str)
def test_backpropagation_agrees_with_nudging(f, loss, sizes):
    output = f if loss is squared_error else linear
    functions = [f] * (len(sizes) - 2) + [output]
    network, samples = random_problem(sizes, functions, loss, 33)
    assert gradient_check(network, samples, loss) < 1e-8


@pytest.mark.parametrize("seed", range(20))
def test_backpropagation_agrees_with_nudging_in_any_network(seed):
    assert gradient_check(*any_problem(seed)) < 1e-8


# --- One node, and how wrong it is -------------------------------------------

@pytest.fixture(params=["the module's", "the loop"])
def dot(request, monkeypatch):
    """What the module uses here, and what it uses before Python 3.12."""
    if request.param == "the module's":
        return backprop.dot
    monkeypatch.delattr(math, "sumprod", raising=False)
    return runpy.run_path(os.path.join(FOLDER, "backprop.py"))["dot"]


def test_dot_adds_up_the_products(dot):
    assert dot([1.0, 2.0, 3.0], [4.0, -5.0, 6.0]) == 12.0


@pytest.mark.parametrize("p, q", [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0])],
                         ids=["longer", "shorter"])
def test_dot_refuses_lists_of_different_lengths(dot, p, q):
    with pytest.raises(ValueError):
        dot(p, q)


# Round numbers by the definitions, on paper (at the kinks, the slope is ours
# to choose); the others computed by mpmath 1.3 with 50 digits, the slope as
# its difference quotient, mpmath.diff.
@pytest.mark.parametrize("f, z, a, slope", [
    (linear, 3.0, 3.0, 1.0),
    (sigmoid, -1e300, 0.0, 0.0),
    (sigmoid, -3.0, 0.04742587317756678, 0.04517665973091213),
    (sigmoid, 0.0, 0.5, 0.25),
    (sigmoid, 2.0, 0.8807970779778824, 0.10499358540350652),
    (sigmoid, 1e300, 1.0, 0.0),
    (tanh, -1e300, -1.0, 0.0),
    (tanh, -3.0, -0.9950547536867305, 0.00986603716544019),
    (tanh, 0.0, 0.0, 1.0),
    (tanh, 2.0, 0.9640275800758169, 0.07065082485316447),
    (tanh, 1e300, 1.0, 0.0),
    (relu, -2.0, 0.0, 0.0), (relu, -1e-300, 0.0, 0.0), (relu, 0.0, 0.0, 0.0),
    (relu, 1e-300, 1e-300, 1.0), (relu, 2.0, 2.0, 1.0),
    (leaky_relu, -2.0, -0.02, 0.01), (leaky_relu, 0.0, 0.0, 0.01),
    (leaky_relu, 1e-300, 1e-300, 1.0), (leaky_relu, 2.0, 2.0, 1.0),
    (swish, -1e300, 0.0, 0.0),
    (swish, -3.0, -0.14227761953270035, -0.08810410601516962),
    (swish, 0.0, 0.0, 0.5),
    (swish, 2.0, 1.7615941559557649, 1.0907842487848955),
    (swish, 1e300, 1e300, 1.0),
], ids=lambda value: name(value) or "%g" % value)
def test_activation_returns_its_value_and_its_slope(f, z, a, slope):
    # 1 - a * a takes a digit or two off where a is near 1, hence 1e-13
    assert f(z) == near((a, slope), relative=1e-13)


@pytest.mark.parametrize("f", ACTIVATIONS, ids=name)
def test_activation_is_finite_at_extremes(f):
    # exp overflows above 709.8 and is 0 below -745.2; beyond 37, 1 + exp(-z)
    # is 1
    for z in [-1e4, -746.0, -710.0, -40.0, 40.0, 710.0, 746.0, 1e4]:
        assert [number for number in f(z) if not math.isfinite(number)] == []


@pytest.mark.parametrize("f", ACTIVATIONS, ids=name)
def test_activation_does_not_hide_a_nan(f):
    assert math.isnan(f(math.nan)[0])


# on paper, or computed by mpmath 1.3 with 50 digits from the definitions
@pytest.mark.parametrize("loss, outputs, targets, C, gradient", [
    (squared_error, [3.0, 0.1], [-1.5, 0.4], 10.17, [4.5, -0.3]),
    (sigmoid_cross_entropy, [-4.0, 6.0], [1.0, 0.0], 10.02062561305554,
     [-0.9820137900379085, 0.9975273768433652]),
    (sigmoid_cross_entropy, [-2.0, 0.5, 3.0], [0.0, 0.25, 1.0],
     1.0245923467968212,
     [0.11920292202211756, 0.37245933120185454, -0.04742587317756678]),
    (sigmoid_cross_entropy, [1e300], [1.0], 0.0, [0.0]),
    (sigmoid_cross_entropy, [1e300], [0.0], 1e300, [1.0]),
    (sigmoid_cross_entropy, [-745.0], [1.0], 745.0, [-1.0]),
    (sigmoid_cross_entropy, [-1e4, 1e4], [0.0, 1.0], 0.0, [0.0, 0.0]),
    (softmax_cross_entropy, [-2.0, 0.5, 3.0], [0.5, 0.25, 0.25],
     3.21009724636431,
     [-0.4938117147272, -0.1746112520370033, 0.6684229667642033]),
    (softmax_cross_entropy, [0.1, -0.2, 0.3, 5.0], [0.0, 0.0, 1.0, 0.0],
     4.721818657068663,
     [0.007285868294551668, 0.005397503986091109, -0.9911010203694428,
      0.9784176480888]),
    (softmax_cross_entropy, [1e300, 0.0], [1.0, 0.0], 0.0, [0.0, 0.0]),
    (softmax_cross_entropy, [1e300, 0.0], [0.0, 1.0], 1e300, [1.0, -1.0]),
    (softmax_cross_entropy, [-1e308, 1e308], [0, 1], 0.0, [0.0, 0.0]),
    (softmax_cross_entropy, [-745.0, 745.0], [1.0, 0.0], 1490.0, [-1.0, 1.0]),
    (softmax_cross_entropy, [1e4, 1e4], [0.5, 0.5], math.log(2), [0.0, 0.0]),
    (softmax_cross_entropy, [1e8, 1e8 + 1, 1e8 + 2], [0.2, 0.3, 0.5],
     1.1076059644443803,
     [-0.10996942682961954, -0.055271528945202348, 0.16524095577482189]),
], ids=lambda value: name(value) or str(value)[:24])
def test_loss_returns_its_value_and_its_derivatives(
        loss, outputs, targets, C, gradient):
    assert loss(outputs, targets) == (near(C), near(gradient))


def test_softmax_is_exp_over_the_sum_of_exps():
    # computed by mpmath 1.3 with 50 digits
    assert softmax([-2.0, 0.5, 3.0]) == near(
        [0.0061882852728000352, 0.075388747962996676, 0.91842296676420329])


@pytest.mark.parametrize("logits", [[1000.0, 1000.0], [-1000.0, -1000.0]],
                         ids=str)
def test_softmax_neither_overflows_nor_divides_by_zero(logits):
    assert softmax(logits) == [0.5, 0.5]


def test_softmax_cross_entropy_takes_targets_that_miss_1_by_rounding():
    # a third to seven digits; at equal logits C is log 3
    assert softmax_cross_entropy([5.0] * 3, [0.3333333] * 3)[0] == near(
        math.log(3))


# --- Forward and backward ----------------------------------------------------

def test_forward_computes_z_and_applies_each_layers_own_function():
    network = [[[[1.0, -2.0], [3.0, 1.0]], [0.5, -1.0], relu],
               [[[2.0, 4.0]], [1.0], leaky_relu]]
    # z = 1 - 4 + 0.5 = -2.5 and 3 + 2 - 1 = 4;  then 0 + 16 + 1 = 17
    assert forward(network, [1.0, 2.0]) == (
        [[1.0, 2.0], [0.0, 4.0], [17.0]], [[0.0, 1.0], [1.0]])


@pytest.mark.parametrize("network", [
    [[[[1.0, 1.0], [1.0]], [0.0, 0.0], tanh]],
    [[[[1.0, 1.0], [1.0] * 3], [0.0, 0.0], tanh]],
    [[[[1.0, 1.0]], [0.0], tanh], [[[1.0, 1.0]], [0.0], tanh]],
    [[[[1.0]], [0.0], tanh]], [[[[1.0] * 3], [0.0], tanh]],
], ids=["a row too short", "a row too long", "a layer that does not fit",
        "inputs too many", "inputs too few"])
def test_forward_refuses_lengths_that_do_not_fit(network, dot, monkeypatch):
    monkeypatch.setattr(backprop, "dot", dot)
    with pytest.raises(ValueError):
        forward(network, [1.0, 1.0])


def test_send_back_sums_over_the_nodes_after():
    # node 0 before feeds the two after by 2 and 5, node 1 by 3 and 7
    assert send_back([[2.0, 3.0], [5.0, 7.0]], [10.0, 100.0]) == [520.0, 730.0]


def chain():
    """Three nodes in a row, with weights 2, 7 and 11, and biases 0."""
    return [[[[2.0]], [0.0], linear], [[[7.0]], [0.0], linear],
            [[[11.0]], [0.0], linear]]


def test_backward_in_a_chain_multiplies_slopes_and_weights():
    # slopes 3, 5, 17 and dC/da 13; activations 19 (the input), 23, 29, 31
    last = 13.0 * 17
    middle, first = last * 11 * 5, last * 11 * 5 * 7 * 3
    assert backward(chain(), [[19.0], [23.0], [29.0], [31.0]],
                    [[3.0], [5.0], [17.0]], [13.0]) == [
        [[[first * 19]], [first]], [[[middle * 23]], [middle]],
        [[[last * 29]], [last]]]


def test_backward_gives_the_same_when_called_twice_and_changes_nothing():
    network, [(inputs, targets)], loss = any_problem(1, count=1)
    activations, slopes = forward(network, inputs)
    dC_da = loss(activations[-1], targets)[1]
    before = copy.deepcopy((network, activations, slopes, dC_da))
    first = copy.deepcopy(backward(network, activations, slopes, dC_da))
    assert backward(network, activations, slopes, dC_da) == first
    assert (network, activations, slopes, dC_da) == before


def test_jacobian_of_a_linear_network_is_the_product_of_its_weights():
    network = [[[[1.0, 2.0], [3.0, 4.0]], [9.0, 9.0], linear],
               [[[5.0, 6.0], [7.0, 8.0], [0.0, 1.0]], [9.0] * 3, linear]]
    assert jacobian(network, [0.5, -0.5]) == [
        [23.0, 34.0], [31.0, 46.0], [3.0, 4.0]]


@pytest.mark.parametrize("function", [forward, predict, jacobian], ids=name)
def test_a_pass_changes_nothing(function):
    network, inputs = example_network(), [0.05, 0.10]
    function(network, inputs)
    assert (network, inputs) == (example_network(), [0.05, 0.10])


# --- The mean gradient, and a step against it --------------------------------
#
# A linear node w, b meets the input 1 and the target 0: C is (w + b)**2 / 2,
# and dC/dw and dC/db are both w + b.

ONE = [([1.0], [0.0])]


def linear_node(w=1.0, b=0.0):
    return [[[[w]], [b], linear]]


def test_mean_loss_is_the_mean_over_the_samples():
    # differences 1, 2 and 3: halves of 1, 4 and 9
    samples = [([1.0], [0.0]), ([2.0], [0.0]), ([3.0], [0.0])]
    assert mean_loss(linear_node(), samples, squared_error) == near(7 / 3)


def test_mean_loss_tells_an_infinite_loss_as_it_is():
    assert mean_loss(linear_node(1e200), ONE, squared_error) == math.inf


@pytest.mark.parametrize("seed", range(6))
def test_loss_and_gradient_are_the_means_of_single_samples(seed):
    network, samples, loss = any_problem(seed)
    single = [flat(loss_and_gradient(network, [sample], loss))
              for sample in samples]
    # three numbers that cancel round as each of them does, hence 1e-15
    assert flat(loss_and_gradient(network, samples, loss)) == near(
        [sum(column) / len(samples) for column in zip(*single)],
        absolute=1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_the_order_in_a_batch_does_not_matter(seed):
    network, samples, loss = any_problem(seed)
    assert flat(loss_and_gradient(network, samples[::-1], loss)) == near(
        flat(loss_and_gradient(network, samples, loss)), absolute=1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_nodes_of_a_layer_may_change_places(seed):
    network, samples, loss = any_problem(seed)
    C, [[dC_dw, dC_db], *after] = loss_and_gradient(network, samples, loss)
    network[0][0].reverse()
    network[0][1].reverse()
    for row in network[1][0]:
        row.reverse()
    C_reversed, gradient = loss_and_gradient(network, samples, loss)
    assert C_reversed == near(C)
    assert flat(gradient[0]) == near(flat([dC_dw[::-1], dC_db[::-1]]),
                                     absolute=1e-15)


def test_parameters_are_the_lists_themselves_layer_by_layer():
    network = example_network()
    (w1, b1, _), (w2, b2, _) = network
    assert [id(row) for row in parameters(network)] == [
        id(row) for row in [*w1, b1, *w2, b2]]


def test_sgd_step_takes_rate_times_derivative_off_and_returns_nothing():
    network = [[[[1.0, 2.0]], [3.0], linear]]
    (weights, biases, f), = network
    row = weights[0]
    assert sgd_step(network, [[[[10.0, 20.0]], [-30.0]]], 0.5) is None
    assert (row, biases) == ([-4.0, -8.0], [18.0])


@pytest.mark.parametrize("seed", range(6))
def test_a_small_step_lowers_the_loss_by_rate_times_the_gradient_squared(seed):
    network, samples, loss = any_problem(seed)
    C, gradient = loss_and_gradient(network, samples, loss)
    sgd_step(network, gradient, 1e-6)
    fall = C - mean_loss(network, samples, loss)
    # what is missed is of the order of rate times curvature, 1e-6 times
    # numbers up to some hundreds; rounding of C is 1e-16 of 1e-6
    assert fall == pytest.approx(
        1e-6 * sum(d * d for d in flat(gradient)), rel=1e-3, abs=1e-15)


# --- Is it right? ------------------------------------------------------------

def test_numerical_gradient_is_off_by_the_square_of_the_nudge():
    # the activation z * z / 2 makes C = w**4 / 8; at w = 1, with the nudge h,
    # ((1 + h)**4 - (1 - h)**4) / 16h is 1/2 + h**2 / 2: 0.625 for h = 0.5
    network = [[[[1.0]], [0.0], lambda z: (z * z / 2, z)]]
    found = numerical_gradient(network, ONE, squared_error, nudge=0.5)
    assert found[0][0][0][0] == 0.625


@pytest.mark.parametrize("settings, nudge", [
    ({}, 1e-5), ({"nudge": 0.5}, 0.5)], ids=["by itself", "as told"])
def test_numerical_gradient_nudges_by_1e_5_or_by_what_it_is_told(
        settings, nudge):
    seen = []

    def spy(z):
        seen.append(z)
        return z, 1.0

    # w = 100, and an input of 1: a nudge relative to the weight would be 1e-3
    numerical_gradient([[[[100.0]], [0.0], spy]], ONE, squared_error,
                       **settings)
    # 1e-12: 100 has two digits before the point, so that 14 are left
    assert max(seen) - 100 == pytest.approx(nudge, abs=1e-12)
    assert 100 - min(z for z in seen if z > 50) == pytest.approx(
        nudge, abs=1e-12)


@pytest.mark.parametrize("error", [None, RuntimeError, KeyboardInterrupt],
                         ids=["as usual", "error", "Ctrl-C"])
def test_numerical_gradient_leaves_the_network_bit_for_bit(error):
    network = [[[[1, -0.0, 0.3]], [-0.0], tanh]]
    before, nudged = repr(network), []

    def fragile(outputs, targets):
        if repr(network) != before:
            nudged.append(outputs)
            if error:
                raise error
        return squared_error(outputs, targets)

    try:
        numerical_gradient(network, [([1, 1, 1], [0])], fragile)
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert (repr(network), len(nudged)) == (before, 1 if error else 8)


def test_gradient_check_is_the_difference_over_the_sum_of_the_norms():
    # C = a = 2 * (0.75 * w + b), so the slopes are 1.5 and 2, a vector 2.5
    # long; but the activation claims three times as much, 4.5 and 6, 7.5 long.
    # The difference, 3 and 4, is 5 long: 5 / (2.5 + 7.5)
    network = [[[[1.0]], [1.0], lambda z: (2 * z, 6.0)]]

    def first_output(outputs, targets):
        return outputs[0], [1.0]

    assert gradient_check(network, [([0.75], [0.0])], first_output) == near(
        0.5, relative=1e-9)         # n is exact to about 1e-16 / nudge


def test_gradient_check_is_zero_where_both_gradients_are():
    network = [[[[0.0]], [-1.0], relu]]
    assert gradient_check(network, ONE, squared_error) == 0.0


@pytest.mark.parametrize("factor, expected", [(2.0, 1 / 3), (-1.0, 1.0)],
                         ids=["factor 2", "wrong sign"])
def test_gradient_check_has_the_landmarks_that_its_docstring_gives(
        factor, expected):
    def wrong(outputs, targets):
        C, dC_da = squared_error(outputs, targets)
        return C, [factor * d for d in dC_da]

    network, samples, loss = any_problem(0)
    assert gradient_check(network, samples, wrong) == near(
        expected, relative=1e-7)    # n is exact to about 1e-8


# --- The start: random weights -----------------------------------------------

def test_park_miller_goes_through_the_documented_states():
    # the C++ standard, [rand.predef]: from its seed 1, the 10,000th invocation
    # of minstd_rand gives 399268537; the first is the multiplier itself
    numbers = list(itertools.islice(park_miller(1), 10000))
    assert (numbers[0], numbers[9999]) == (
        48271 / (2**31 - 1), 399268537 / (2**31 - 1))


def test_uniform_repeats_itself_after_2_to_the_31_less_2_seeds():
    assert next(uniform(5 + 2**31 - 2)) == next(uniform(5))


@pytest.mark.parametrize("distance", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", [-1, 0, 1, 98])
def test_neighbouring_seeds_give_unrelated_numbers(seed, distance):
    # the correlation of 1,000 independent pairs is within 5 / sqrt(1000);
    # centred at 0.5, where the variance of a uniform number is 1 / 12
    pairs = zip(uniform(seed), uniform(seed + distance))
    correlation = sum((u - 0.5) * (v - 0.5)
                      for u, v in itertools.islice(pairs, 1000)) * 12 / 1000
    assert abs(correlation) < 5 / math.sqrt(1000)


def test_init_network_has_the_shape_asked_for_and_biases_of_zero():
    network = init_network([3, 4, 2], [tanh, sigmoid], uniform(1))
    assert [(len(weights), {len(row) for row in weights}, biases, f)
            for weights, biases, f in network] == [
        (4, {3}, [0.0] * 4, tanh), (2, {4}, [0.0] * 2, sigmoid)]


def test_init_network_gives_every_node_a_list_of_its_own():
    rows = parameters(init_network([3, 4, 2], [tanh, sigmoid], uniform(1)))
    assert len(set(map(id, rows))) == len(rows)


def test_init_network_gives_the_same_weights_on_every_python():
    # computed in C++, to 17 digits: std::minstd_rand next(1176696361), which
    # is 48273**17 modulo 2**31 - 1, then for each weight
    # std::sqrt(3.0 / 2) * (2 * (next() / 2147483647.0) - 1)
    network = init_network([2, 2, 1], [tanh, sigmoid], uniform(1))
    assert network == [
        [[[0.50338453126886473, -0.063539529752306478],
          [-0.35548270904550472, -0.83020013940169446]], [0.0, 0.0], tanh],
        [[[-0.93873712640356166, -0.66907688031897505]], [0.0], sigmoid]]


# --- Training ----------------------------------------------------------------

def five_samples():
    return random_problem([3, 4, 2], [tanh, swish], squared_error, 5, 5)


def one_step(network, batch, loss=squared_error, rate=0.1):
    """A step along the mean gradient of a batch, by sgd_step."""
    C, gradient = loss_and_gradient(network, batch, loss)
    sgd_step(network, gradient, rate)
    return C


# 2 leaves a batch of one at the end; 7 is more than there are
@pytest.mark.parametrize("batch_size", [1, 2, 5, 7])
def test_train_takes_a_step_for_each_batch(batch_size):
    network, samples = five_samples()
    expected = copy.deepcopy(network)
    for _ in range(3):
        for start in range(0, 5, batch_size):
            one_step(expected, samples[start:start + batch_size])
    train(network, samples, squared_error, 0.1, 3, batch_size)
    assert flat(network) == near(flat(expected))


def test_train_returns_the_mean_loss_of_each_epoch():
    # a step of 0.25 takes a quarter of w + b off both, so that the output is
    # 1, then 0.5, then 0.25
    assert train(linear_node(), ONE, squared_error, 0.25, epochs=3) == [
        0.5, 0.125, 0.03125]


def test_train_weighs_the_loss_of_a_batch_before_its_step_by_its_size():
    network, samples = five_samples()
    twin = copy.deepcopy(network)
    expected = sum(len(part) / 5 * one_step(twin, part)
                   for part in [samples[:2], samples[2:4], samples[4:]])
    assert train(network, samples, squared_error, 0.1, batch_size=2) == [
        near(expected)]


def test_train_for_no_epoch_changes_nothing():
    network = linear_node()
    assert train(network, ONE, squared_error, 0.25, epochs=0) == []
    assert network == linear_node()


def test_train_changes_the_lists_in_place():
    network, samples = five_samples()
    rows = parameters(network)
    before = flat(rows)
    train(network, samples, squared_error, 0.1)
    assert [old for old, new in zip(before, flat(rows)) if old == new] == []


def test_train_keeps_no_state_between_calls():
    (first, samples), (second, _) = five_samples(), five_samples()
    losses = train(first, samples, squared_error, 0.1, 2, 2, uniform(1))
    assert train(second, samples, squared_error, 0.1, 2, 2, uniform(1)) == (
        losses)
    assert second == first


def test_training_in_parts_gives_the_same_as_in_one_go():
    (parts, samples), (whole, _), rng = five_samples(), five_samples(), (
        uniform(1))
    losses = [train(parts, samples, squared_error, 0.1, 1, 2, rng)[0]
              for _ in range(4)]
    assert train(whole, samples, squared_error, 0.1, 4, 2, uniform(1)) == (
        losses)
    assert parts == whole


def orders(count, epochs, rng, batch_size=1):
    """The order in which train visits count samples in each epoch."""
    seen = []

    def spy(outputs, targets):
        seen.append(int(targets[0]))
        return 0.0, [0.0]

    samples = [([0.0], [float(number)]) for number in range(count)]
    train(linear_node(), samples, spy, 0.1, epochs, batch_size, rng)
    seen = seen[-epochs * count:]       # before that, it is only tried
    return [seen[start:start + count] for start in range(0, len(seen), count)]


def test_train_visits_the_samples_in_the_callers_order_without_an_rng():
    assert orders(5, 2, None, 2) == [[0, 1, 2, 3, 4]] * 2


# 20 is one batch for all
@pytest.mark.parametrize("batch_size", [1, 3, 20])
def test_train_visits_every_sample_once_an_epoch_in_a_new_order(batch_size):
    found = orders(20, 5, uniform(0), batch_size)
    assert [sorted(order) for order in found] == [list(range(20))] * 5
    known = [list(range(20))]
    for order in found:
        assert order not in known
        known += [order, order[::-1]]


def test_train_shuffles_samples_and_not_whole_batches():
    together = [[{*order[start:start + 4]} for start in range(0, 20, 4)]
                for order in orders(20, 2, uniform(0), 4)]
    assert [batch for batch in together[1] if batch in together[0]] == []


def test_train_makes_every_order_equally_likely():
    # of 600 seeds, 100 for each of the 6 orders of three samples, give or take
    # 5 standard deviations of sqrt(600 / 6 * 5 / 6) = 9.1
    found = [tuple(orders(3, 1, uniform(seed))[0]) for seed in range(600)]
    counts = [found.count(order) for order in itertools.permutations(range(3))]
    assert (min(counts) > 54, max(counts) < 146) == (True, True), counts


def test_train_leaves_the_callers_list_in_its_order():
    network, samples = five_samples()
    before = [id(sample) for sample in samples]
    train(network, samples, squared_error, 0.1, epochs=3, rng=uniform(1))
    assert [id(sample) for sample in samples] == before


def test_train_calls_f_and_loss_once_for_each_sample_and_epoch():
    calls = []

    def counted(z):
        calls.append(z)
        return tanh(z)

    def loss(outputs, targets):
        calls.append(targets)
        return squared_error(outputs, targets)

    def count(epochs):
        calls.clear()
        train([[[[1.0], [2.0]], [0.0, 0.0], counted]],
              [([1.0], [0.0, 0.0])] * 3, loss, 0.1, epochs)
        return len(calls)

    # 2 epochs, 3 samples, 2 nodes and the loss; what checks the input does so
    # once, and not in every epoch
    assert count(5) - count(3) == 2 * 3 * (2 + 1)


def learns_xor(seed, rate, epochs=1000, module=vars(backprop)):
    """Whether a 2-4-1 network has learned it within so many epochs."""
    functions = [module["tanh"], module["sigmoid"]]
    network = module["init_network"]([2, 4, 1], functions,
                                     module["uniform"](seed))
    for _ in range(epochs // 50):
        module["train"](network, XOR, module["squared_error"], rate, 50)
        # within 0.1 nobody would take a 0 for a 1
        if max(abs(module["predict"](network, inputs)[0] - targets[0])
               for inputs, targets in XOR) < 0.1:
            return True
    return False


def test_of_the_seeds_25_to_34_only_29_fails_to_learn_xor():
    # There is no other source for this: it guards what the docstring says of
    # the seeds 0 to 99, which were all tried once, but take too long here.
    assert [seed for seed in range(25, 35) if not learns_xor(seed, 1.0)] == [
        29]


def test_the_start_that_sticks_learns_at_a_smaller_rate():
    assert learns_xor(29, 0.5)


# --- Training that fails -----------------------------------------------------

def test_whole_numbers_of_other_kinds_count_as_whole():
    class Three:
        """A whole number that is not an int, as those of NumPy are."""

        def __index__(self):
            return 3

        def __lt__(self, other):
            return 3 < other

        __int__ = __index__

    assert len(train(linear_node(), ONE, squared_error, 0.1, Three())) == 3


def test_train_that_diverges_says_when_and_what_to_try():
    # epoch 1 takes w and b to -1e200, where the squared error overflows, while
    # the weights would still be finite after epoch 2
    network = linear_node(1e100)
    refused(["diverged in epoch 2", "learning_rate", "gradient", "loss"],
            train, network, ONE, squared_error, 1e100, epochs=3)
    assert network == linear_node(-1e200, -1e200)       # as after epoch 1


def steep(outputs, targets):
    """A loss that takes the bias 1.5e308 to infinity in a step of rate 1."""
    return 0.0, [-1.5e308]


def overflows(outputs, targets):
    """A loss that raises an OverflowError where the output is large."""
    return math.exp(outputs[0]), [math.exp(outputs[0])]


# each goes wrong in one step, though the loss before that step is finite
@pytest.mark.parametrize("network, sample, loss, learning_rate", [
    pytest.param(linear_node(1e100), ONE[0], squared_error, 1e300,
                 id="weight and bias"),
    pytest.param(linear_node(0.0, 1.5e308), ([0.0], [0.0]), steep, 1.0,
                 id="bias"),
    pytest.param(linear_node(0.0) + linear_node(1e200), ([1.0], [1e50]),
                 squared_error, 1e100, id="first layer"),
    pytest.param(linear_node(), ONE[0], lambda outputs, targets: (
        0.0, [math.nan]), 0.1, id="gradient of the loss"),
    pytest.param(linear_node(1e200), ONE[0], overflows, 0.1,
                 id="OverflowError in the loss"),
])
def test_train_puts_the_weights_before_the_epoch_back(
        network, sample, loss, learning_rate):
    before, rows = copy.deepcopy(network), parameters(network)
    refused(["diverged in epoch 1"],
            train, network, [sample], loss, learning_rate, epochs=2)
    assert network == before
    assert list(map(id, parameters(network))) == list(map(id, rows))


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt], ids=name)
def test_train_leaves_no_infinite_weight_if_an_exception_ends_the_epoch(error):
    calls = []

    def fails_later(outputs, targets):
        calls.append(outputs)
        if outputs[0] in (math.inf, -math.inf):
            raise error("of the learner")
        return 0.0, [-1.5e308]

    network = linear_node(0.0, 1.5e308)
    refused(["diverged in epoch 1"], train, network, [([0.0], [0.0])] * 2,
            fails_later, 1.0)
    assert network == linear_node(0.0, 1.5e308)


def test_train_shows_an_overflow_in_a_function_of_the_learners_own():
    with pytest.raises(ValueError) as error:
        train(linear_node(1e200), ONE, overflows, 0.1)
    assert isinstance(error.value.__context__, OverflowError)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt],
                         ids=["error", "Ctrl-C"])
def test_train_keeps_the_steps_that_were_taken_before_an_exception(error):
    network, samples = five_samples()
    twin, calls = copy.deepcopy(network), []

    def moody(outputs, targets):
        calls.append(targets)
        if len(calls) == 5 + 8:         # tried on 5; then in the second epoch
            raise error
        return squared_error(outputs, targets)

    for sample in samples + samples[:2]:
        one_step(twin, [sample])
    with pytest.raises(error):
        train(network, samples, moody, 0.1, epochs=2)
    assert network == twin


class Scalar:
    """A number of another kind, as those of NumPy and PyTorch are."""

    def __init__(self, value):
        self.value = float(value)

    def __float__(self):
        return self.value

    def __mul__(self, other):
        return Scalar(self.value * float(other))

    def __add__(self, other):
        return Scalar(self.value + float(other))

    def __sub__(self, other):
        return Scalar(self.value - float(other))

    def __rsub__(self, other):
        return Scalar(float(other) - self.value)

    __rmul__, __radd__ = __mul__, __add__


def scalar_error(outputs, targets):
    C, dC_da = squared_error(outputs, targets)
    return Scalar(C), [Scalar(d) for d in dC_da]


def test_numbers_of_the_loss_do_not_stay_in_the_weights_or_the_losses():
    network = [[[[1]], [0], linear]]
    losses = train(network, ONE, scalar_error, fractions.Fraction(1, 4), 2)
    assert (network, losses) == (linear_node(0.625, -0.375), [0.5, 0.125])
    assert {type(number) for number in network[0][0][0] + network[0][1]
            + losses} == {float}


def test_loss_and_gradient_are_floats_whatever_the_loss_returns():
    assert loss_and_gradient(linear_node(), ONE, scalar_error) == (
        0.5, [[[[1.0]], [1.0]]])


def test_mean_loss_and_numerical_gradient_are_floats_as_well():
    assert mean_loss(linear_node(), ONE, scalar_error) == 0.5
    assert gradient_check(linear_node(), ONE, scalar_error) < 1e-8


def test_the_loss_is_given_floats_whatever_the_samples_are_made_of():
    types = set()

    def spy(outputs, targets):
        types.update(map(type, [*outputs, *targets]))
        return squared_error(outputs, targets)

    train([[[[1]], [0], linear]], [([fractions.Fraction(1, 4)], [1])], spy, 1)
    assert types == {float}


def test_a_loss_may_be_undefined_where_the_outputs_never_are():
    def exponential(z):
        return 1 + math.exp(z), math.exp(z)

    def loss(outputs, targets):
        return math.log(outputs[0] - 1), [1 / (outputs[0] - 1)]

    # log(a - 1) is z, here -0.5
    network = linear_node(1.0) + [[[[-0.5]], [0.0], exponential]]
    assert mean_loss(network, ONE, loss) == near(-0.5)


def test_the_loss_cannot_write_into_its_targets():
    def spoils(outputs, targets):
        targets[0] = outputs[0]

    network = linear_node()
    with pytest.raises(TypeError):
        train(network, ONE, spoils, 0.1)
    assert network == linear_node()


# --- What is refused ---------------------------------------------------------
#
# A row: what it is, the input, and what the message must contain: the place,
# what was expected, what came.

LAYER = [[[0.1, 0.2]], [0.3], tanh]         # two inputs, one node
ROW = [0.4]                                 # the same list twice is refused
GOOD = ([0.0, 0.0], [0.0])


class Table(list):
    """As a DataFrame: two dimensions, but its elements are column names."""

    ndim = 2


def no_slope(z):
    """A relu that forgets its slope where it is 0."""
    return (z, 1.0) if z > 0 else 0.0


BAD_NETWORKS = [
    ("no network", None, ["network", "list", "None"]),
    ("no layer", [], ["network", "at least one layer", "[]"]),
    ("no function", [LAYER, LAYER[:2]],
     ["network[1]", "weights, biases, f", "3", "2"]),
    ("no nodes", [[[], [], tanh]], ["network[0]", "[]"]),
    ("a ragged row", [[[[1.0, 2.0], [3.0]], [0.0, 0.0], tanh]],
     ["network[0] weights[1]", "length 2", "got 1"]),
    ("layers that do not fit", [LAYER, [[[1.0, 2.0]], [0.0], tanh]],
     ["network[1] weights[0]", "length 1", "got 2"]),
    ("too many biases", [[[[1.0, 2.0]], [0.0, 0.0], tanh]],
     ["network[0] biases", "length 1", "got 2"]),
    ("a number for weights", [[0.5, [0.0], tanh]],
     ["network[0] weights", "list", "0.5"]),
    ("a bracket missing", [[[0.5, 0.5], [0.0], tanh]],
     ["network[0] weights[0]", "list", "0.5"]),
    ("a tuple", [LAYER, [[(1.0,)], [0.0], tanh]],
     ["network[1] weights[0]", "list(...)", "(1.0,)"]),
    ("NaN", [LAYER, [[[math.nan]], [0.0], tanh]],
     ["network[1] weights[0][0]", "finite number", "nan"]),
    ("a huge weight", [LAYER, [[[10**400]], [0.0], tanh]],
     ["network[1] weights[0][0]", "finite number", "1000"]),
    ("text", [LAYER, [[["1"]], [0.0], tanh]],
     ["network[1] weights[0][0]", "finite number", "'1'"]),
    ("math.tanh", [LAYER, [[[1.0]], [0.0], math.tanh]],
     ["network[1] f", "(a, da/dz)", "-0.76"]),
    ("a slope missing", [LAYER, [[[1.0]], [0.0], no_slope]],
     ["network[1] f", "(a, da/dz)", "0.0"]),
    ("a shared row", [LAYER, [[ROW], [0.0], tanh], [[ROW], [0.0], tanh]],
     ["network", "list of its own"]),
]

BAD_SAMPLES = [
    ("no samples", [], ["samples", "at least one", "[]"]),
    ("a number", 7, ["samples", "list", "7"]),
    ("a zip", zip([[0, 0]], [[0]]), ["samples", "list", "zip"]),
    ("a table that gives its column names", ["x1", "x2", "y"],
     ["samples[0]", "pair (inputs, targets)", "'x1'"]),
    ("no pair", [GOOD, ([0, 0], [0], 1)],
     ["samples[1]", "pair (inputs, targets)", "([0, 0], [0], 1)"]),
    ("a bare number", [GOOD, ([0, 0], 0)],
     ["samples[1] targets", "list", "0"]),
    ("an endless generator", [GOOD, (itertools.count(), [0])],
     ["samples[1] inputs", "list", "count"]),
    ("text for a list", [GOOD, ("00", [0])],
     ["samples[1] inputs", "list of numbers", "'00'"]),
    ("a table", [GOOD, (Table([0, 1]), [0])],
     ["samples[1] inputs", "list of numbers", "[0, 1]"]),
    ("a dict", [GOOD, ({0: 1, 1: 1}, [0])],
     ["samples[1] inputs", "list of numbers", "{0: 1, 1: 1}"]),
    ("too few inputs", [GOOD, ([0], [0])],
     ["samples[1] inputs", "length 2", "got 1"]),
    ("too many targets", [GOOD, ([0, 0], [0, 0])],
     ["samples[1] targets", "length 1", "got 2"]),
    ("text for a number", [GOOD, ([0, "1"], [0])],
     ["samples[1] inputs[1]", "finite number", "'1'"]),
    ("infinite", [GOOD, ([0, 0], [-math.inf])],
     ["samples[1] targets[0]", "finite number", "-inf"]),
    ("too long to print", [GOOD, ([0, 10**5000], [0])],
     ["samples[1] inputs[1]", "finite number"]),
]


def label(value):
    """A function by its name, a row by what it is."""
    return value[0] if isinstance(value, tuple) else name(value)


# all that take (network, samples, loss), and what train needs besides
ENTRANCES = [(train, [0.1]), (loss_and_gradient, []), (mean_loss, []),
             (numerical_gradient, []), (gradient_check, [])]


def refused_everywhere(words, network, samples, loss):
    """Assert that every entrance refuses this and leaves the network alone."""
    before = repr(network)
    for function, rest in ENTRANCES:
        refused(words, function, network, samples, loss, *rest)
        assert repr(network) == before, name(function)


@pytest.mark.parametrize("row", BAD_NETWORKS, ids=label)
def test_a_bad_network_is_refused_at_every_entrance(row):
    what, network, words = row
    refused_everywhere(words, network, [GOOD], squared_error)
    refused(words, predict, network, [0.0, 0.0])
    refused(words, jacobian, network, [0.0, 0.0])


@pytest.mark.parametrize("row", BAD_SAMPLES, ids=label)
def test_bad_samples_are_refused_at_every_entrance(row):
    what, samples, words = row
    refused_everywhere(words, [copy.deepcopy(LAYER)], samples, squared_error)


def array_loss(outputs, targets):
    """A loss that forgets to add up: C is a list here, an array elsewhere."""
    return [0.5 * (a - t)**2 for a, t in zip(outputs, targets)], [0.0]


@pytest.mark.parametrize("loss, words", [
    pytest.param(lambda outputs, targets: None, ["None"], id="None"),
    pytest.param(lambda outputs, targets: 0.5, ["0.5"], id="C alone"),
    pytest.param(lambda outputs, targets: (0.5, 1.0), ["(0.5, 1.0)"],
                 id="a number for the list"),
    pytest.param(array_loss, ["[0.5]"], id="a list for C"),
])
def test_a_loss_that_returns_something_else_is_refused(loss, words):
    refused_everywhere(["loss of samples[0]", "(C, [dC/da, ...])", *words],
                       linear_node(), ONE, loss)


def test_a_loss_with_another_number_of_derivatives_is_refused():
    refused_everywhere(["samples[0]", "dC/da", "length 1", "got 2"],
                       linear_node(), ONE,
                       lambda outputs, targets: (0.0, [0.0, 0.0]))


@pytest.mark.parametrize("loss, target, words", [
    (sigmoid_cross_entropy, [2.0], ["0 to 1", "2.0"]),
    (softmax_cross_entropy, [0.5], ["sum to 1", "0.5"])],
    ids=lambda value: name(value) or "")
def test_the_sample_whose_targets_do_not_suit_the_loss_is_named(
        loss, target, words):
    refused_everywhere(["samples[1]", "targets", *words], linear_node(),
                       [([0], [1.0]), ([0], target)], loss)


def test_a_sigmoid_that_would_be_applied_twice_is_refused():
    refused_everywhere(["network[1] f", "linear", "sigmoid"],
                       [LAYER, [[[1.0]], [0.0], sigmoid]], [GOOD],
                       sigmoid_cross_entropy)


@pytest.mark.parametrize("function, rest", ENTRANCES,
                         ids=lambda value: name(value) or "")
def test_samples_may_be_sequences_of_any_kind(function, rest):
    (network, samples), (twin, _) = five_samples(), five_samples()
    rows = tuple([tuple(x), tuple(t)] for x, t in samples)
    assert function(network, rows, squared_error, *rest) == function(
        twin, samples, squared_error, *rest)


@pytest.mark.parametrize("function", [predict, jacobian], ids=name)
@pytest.mark.parametrize("inputs, words", [
    (7, ["inputs", "list", "7"]),
    (itertools.count(), ["inputs", "list", "count"]),
    ([0.0], ["inputs", "length 2", "got 1"]),
    ([0.0, "1"], ["inputs[1]", "finite number", "'1'"]),
    ([math.inf, 0.0], ["inputs[0]", "finite number", "inf"]),
], ids=["number", "generator", "too few", "text", "infinite"])
def test_bad_inputs_are_refused(function, inputs, words):
    refused(words, function, [LAYER], inputs)


@pytest.mark.parametrize("settings, words", [
    ({"learning_rate": 0}, ["learning_rate", "above 0", "0"]),
    ({"learning_rate": math.inf}, ["learning_rate", "finite", "inf"]),
    ({"learning_rate": "0.1"}, ["learning_rate", "number", "'0.1'"]),
    ({"epochs": -1}, ["epochs", "0 or more", "-1"]),
    ({"epochs": 1.5}, ["epochs", "whole number", "1.5"]),
    ({"batch_size": 0}, ["batch_size", "1 or more", "0"]),
    ({"batch_size": 2.0}, ["batch_size", "whole number", "2.0"]),
    ({"rng": 1}, ["rng", "uniform(1)", "1"]),
    ({"rng": random.Random(1)}, ["rng", "uniform(1)", "Random"]),
    ({"rng": uniform}, ["rng", "uniform(1)", "function uniform"]),
], ids=lambda value: "".join(value) if isinstance(value, dict) else value[-1])
def test_train_refuses_bad_settings(settings, words):
    network = [copy.deepcopy(LAYER)]
    refused(words, train, network, [GOOD], squared_error,
            **{"learning_rate": 0.1, **settings})
    assert network == [LAYER]


@pytest.mark.parametrize("what, sizes, functions, words", [
    ("no nodes", [2, 0, 1], [tanh] * 2, ["sizes", "1 or more", "0"]),
    ("half a node", [2.5, 1], [tanh], ["sizes", "whole number", "2.5"]),
    ("one size", [2], [], ["sizes", "at least two", "[2]"]),
    ("too few functions", [2, 1], [], ["functions", "length 1", "got 0"]),
    ("too many", [2, 1], [tanh] * 2, ["functions", "length 1", "got 2"]),
    ("no list", [2, 1], tanh, ["functions", "list", "function tanh"]),
    ("text", [1, 2, 3], [tanh, "tanh"], ["functions[1]", "da/dz", "'tanh'"]),
    ("math.tanh", [2, 1], [math.tanh], ["functions[0]", "da/dz", "-0.76"]),
    ("no slope at 0", [2, 1], [no_slope], ["functions[0]", "da/dz", "0.0"]),
    ("None for a slope", [2, 1], [lambda z: (z, None)],
     ["functions[0]", "da/dz", "None"]),
    ("NaN", [2, 1], [lambda z: (math.nan, 1.0)], ["functions[0]", "nan"]),
    ("softmax", [2, 1], [softmax], ["functions[0]", "logits", "list"]),
    ("a pair", [2, 1], [(0.0, 1.0)], ["functions[0]", "da/dz", "(0.0, 1.0)"]),
    ("a bare number", 5, [tanh], ["sizes", "list", "5"]),
    ("three numbers", [2, 1], [lambda z: (z, 1.0, 0.0)],
     ["functions[0]", "da/dz", "1.0, 0.0"]),
], ids=lambda value: value if isinstance(value, str) else "")
def test_init_network_refuses(what, sizes, functions, words):
    rng = itertools.count()
    refused(words, init_network, sizes, functions, rng)
    assert next(rng) == 0               # and has taken no number yet


@pytest.mark.parametrize("rng", [1, random.Random(1), uniform],
                         ids=["a seed", "random.Random", "uniform not called"])
def test_init_network_refuses_what_is_not_a_generator(rng):
    refused(["rng", "uniform(1)"], init_network, [2, 1], [tanh], rng)


@pytest.mark.parametrize("nudge", [0, -1e-5, math.nan, math.inf, "small"])
def test_numerical_gradient_refuses_a_bad_nudge(nudge):
    refused(["nudge", "above 0", repr(nudge)], numerical_gradient, [LAYER],
            [GOOD], squared_error, nudge)


@pytest.mark.parametrize("error", [NameError, TypeError, ZeroDivisionError],
                         ids=name)
def test_a_mistake_inside_an_activation_function_is_its_own_error(error):
    def mistaken(z):
        raise error("mine")

    with pytest.raises(error, match="mine"):
        init_network([2, 1], [mistaken], uniform(1))


@pytest.mark.parametrize("seed", [1.5, 2.0, "1", None, [1]], ids=str)
def test_uniform_refuses_at_once_a_seed_that_is_not_whole(seed):
    refused(["seed", "whole number", repr(seed)], uniform, seed)


@pytest.mark.parametrize("loss", LOSSES, ids=name)
@pytest.mark.parametrize("outputs, targets", [
    ([0.5], [0.5, 0.5]), ([0.5, 0.5], [1.0]), ([0.5], [])], ids=str)
def test_a_loss_refuses_another_number_of_targets(loss, outputs, targets):
    refused(["targets", "length %d" % len(outputs), "got %d" % len(targets)],
            loss, outputs, targets)


@pytest.mark.parametrize("loss, targets, expected", [
    (sigmoid_cross_entropy, [-1.0, 0.5], "0 to 1"),
    (sigmoid_cross_entropy, [0.5, -1e-9], "0 to 1"),
    (sigmoid_cross_entropy, [0.5, 1 + 1e-9], "0 to 1"),
    (sigmoid_cross_entropy, [0.5, math.nan], "0 to 1"),
    (softmax_cross_entropy, [1 + 5e-7, -5e-7], "0 to 1"),
    (softmax_cross_entropy, [math.nan, 1.0], "0 to 1"),
    (softmax_cross_entropy, [1.0, 1.0], "sum to 1"),
    (softmax_cross_entropy, [0.5, 0.4999985], "sum to 1"),
    (softmax_cross_entropy, [0.5, 0.5000015], "sum to 1"),
], ids=lambda value: name(value) or str(value))
def test_a_cross_entropy_refuses_what_are_not_probabilities(
        loss, targets, expected):
    refused(["targets", expected, str(targets)[:9]], loss, [0.1, 0.2], targets)


@pytest.mark.parametrize("function, arguments", [
    (softmax, [[]]), (softmax, [iter([1.0, 2.0])]),
    (softmax_cross_entropy, [[], []])],
    ids=["none", "iterator", "none at all"])
def test_softmax_refuses_what_is_not_a_list_of_logits(function, arguments):
    with pytest.raises(ValueError):
        function(*arguments)


@pytest.mark.parametrize("dC_da", [[], [1.0], [1.0, 1.0, 1.0]], ids=len)
def test_backward_refuses_another_number_of_derivatives(dC_da):
    activations, slopes = forward(example_network(), [0.05, 0.10])
    refused(["dC_da", "length 2", "got %d" % len(dC_da)],
            backward, example_network(), activations, slopes, dC_da)


@pytest.mark.parametrize("lengths", [[4, 2], [3, 2, 1], [4, 1, 1], [4, 2, 0]],
                         ids=str)
def test_backward_raises_an_error_where_a_slope_is_missing(lengths):
    network = init_network([3, 4, 2, 1], [tanh, tanh, tanh], uniform(1))
    activations, slopes = forward(network, [0.1, 0.2, 0.3])
    with pytest.raises(IndexError):
        backward(network, activations,
                 [[1.0] * length for length in lengths], [1.0])


@pytest.mark.parametrize("deltas", [[], [1.0], [1.0, 1.0, 1.0]], ids=len)
def test_send_back_refuses_another_number_of_deltas(deltas):
    refused(["deltas", "length 2", "got %d" % len(deltas)],
            send_back, [[2.0, 3.0], [5.0, 7.0]], deltas)


@pytest.mark.parametrize("gradient", [
    [[[[1.0]], [1.0]]], [[[[1.0, 1.0]], [1.0]]] * 2, [[[[1.0, 1.0]], []]],
    [[[[1.0, 1.0]], [1.0, 1.0]]]], ids=str)
def test_sgd_step_refuses_a_gradient_of_another_shape(gradient):
    network = [copy.deepcopy(LAYER)]
    refused(["gradient", "lengths"], sgd_step, network, gradient, 0.1)
    assert network == [LAYER]


@pytest.mark.parametrize("length, cut", [(58, False), (59, True)], ids=str)
def test_a_refusal_shows_at_most_60_columns_of_what_came(length, cut):
    with pytest.raises(ValueError) as error:
        uniform("x" * length)
    came = str(error.value).rpartition("got ")[2]
    assert (len(came), came.endswith("...")) == (60, cut)


# --- The file, its examples and its demo -------------------------------------

SOURCE = read("backprop.py")
COMMENTS = "\n# --- " in SOURCE      # a copy without comments is tested, too


def run_demo(*flags, folder=FOLDER):
    return subprocess.run(
        [sys.executable, *flags, os.path.join(FOLDER, "backprop.py")],
        cwd=str(folder), env=dict(os.environ, PYTHONIOENCODING="ascii"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)


@pytest.fixture(scope="module")
def demo_output():
    return run_demo().stdout.decode("ascii").replace("\r\n", "\n")


def test_the_module_imports_math_alone_and_has_no_class_and_no_dict():
    nodes = list(ast.walk(ast.parse(SOURCE)))
    assert [node for node in nodes if isinstance(node, (
        ast.ClassDef, ast.Dict, ast.DictComp, ast.ImportFrom))] == []
    assert [alias.name for node in nodes if isinstance(node, ast.Import)
            for alias in node.names] == ["math"]


def test_the_module_is_ascii_of_at_most_79_columns():
    assert SOURCE.isascii()
    assert [line for line in SOURCE.splitlines()
            if COMMENTS and len(line) > 79] == []


def test_the_parameters_have_the_names_that_other_code_uses():
    def names(function):
        return function.__code__.co_varnames[:function.__code__.co_argcount]

    assert names(train) == ("network", "samples", "loss", "learning_rate",
                            "epochs", "batch_size", "rng")
    assert names(backward) == ("network", "activations", "slopes", "dC_da")
    assert names(numerical_gradient) == ("network", "samples", "loss", "nudge")
    assert names(sgd_step) == ("network", "gradient", "learning_rate")
    assert names(init_network) == ("sizes", "functions", "rng")
    assert names(send_back) == ("weights", "deltas")
    assert names(squared_error) == ("outputs", "targets")


def doctest_of(text):
    """Run the examples of a text; return how many failed, and how many ran."""
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(
        text, dict(vars(backprop)), "text", None, 0))
    return tuple(runner.summarize(verbose=False))[:2]


@pytest.mark.skipif(sys.flags.optimize >= 2, reason="-OO drops docstrings")
def test_the_examples_in_docstrings_are_true():
    failed, tried = doctest.testmod(backprop)
    assert failed == 0 and tried > 30


@pytest.mark.skipif(not COMMENTS, reason="a copy without comments")
def test_the_examples_in_comments_are_true():
    indented = [line[6:] if line.startswith("#     ") else ""
                for line in SOURCE.splitlines()]
    failed, tried = doctest_of("\n".join(indented))
    assert failed == 0 and tried > 8


@pytest.mark.parametrize("flags", [["-I", "-W", "error"], ["-OO"]], ids=str)
def test_demo_runs_clean_and_leaves_no_file_behind(
        flags, demo_output, tmp_path):
    done = run_demo(*flags, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode("ascii").replace("\r\n", "\n") == demo_output
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.parametrize("dot", [
    lambda p, q: sum(a * b for a, b in zip(p, q)),
    lambda p, q: math.fsum(a * b for a, b in zip(p, q))],
    ids=["rounded at each step", "rounded once"])
def test_demo_does_not_hang_on_the_last_bits_of_a_sum(
        dot, demo_output, monkeypatch, capsys):
    monkeypatch.setattr(backprop, "dot", dot)
    backprop.demo()
    assert capsys.readouterr().out == demo_output


def test_demo_fits_a_terminal(demo_output):
    lines = demo_output.splitlines()
    assert max(map(len, lines)) <= 79 and len(lines) <= 75


@pytest.fixture
def part(demo_output):
    """The numbers with a decimal point in the demo's part 1, 2, 3 or 4."""
    parts = re.split(r"(?m)^(?=\d\. )", demo_output)
    return lambda number: list(map(float, re.findall(
        r"(?:(?<=[ (])-)?\d+\.\d+", parts[number])))


def printed_as(numbers, digits):
    return [float("%.*f" % (digits, number)) for number in numbers]


def test_demo_follows_a_nudge_by_the_definitions(part):
    def at(w):
        z = 0.5 * w - 4
        a = 1 / (1 + math.exp(-z))
        return z, a, (a - 1)**2 / 2

    dz, da, dC = [new - old for old, new in zip(at(8), at(8.01))]
    assert part(1) == [
        0.5, 0.5, 0.125, 0.01, 0.01,
        *printed_as([dz], 6), *printed_as([dz / 0.01], 4), 0.5,
        *printed_as([da], 6), *printed_as([da / dz], 4), 0.25,
        *printed_as([dC], 6), *printed_as([dC / da], 4), -0.5,
        0.5, 0.25, -0.5, -0.0625, *printed_as([dC / 0.01], 4)]


def test_demo_draws_the_numbers_of_both_passes(part):
    activations, slopes = forward(example_network(), [0.05, 0.10])
    h1, h2, o1, o2 = printed_as(flat(activations[1:]), 4)
    s1, s2, s3, s4 = printed_as(flat(slopes), 4)
    off1, off2 = printed_as([activations[2][0] - 0.01,
                             activations[2][1] - 0.99], 4)
    C, gradient = loss_and_gradient(example_network(), MAZUR, squared_error)
    d1, d2, d3, d4 = printed_as(flat([dC_db for dC_dw, dC_db in gradient]), 4)
    assert part(2) == [
        0.35, 0.60, 0.05, 0.15, h1, 0.40, o1, 0.01, off1, 0.25, 0.50, 0.20,
        0.45, 0.10, 0.30, h2, 0.55, o2, 0.99, off2, *printed_as([C], 6),
        d1, 0.40, d3, s3, off1, 0.50, 0.45, d2, 0.55, d4, s4, off2,
        0.40, d3, 0.50, d4, s1, d1]


def test_demo_blames_each_weight_as_both_ways_do(part, demo_output):
    network = example_network()
    C, gradient = loss_and_gradient(network, MAZUR, squared_error)
    nudged, old = numerical_gradient(network, MAZUR, squared_error), (
        flat(network))
    x, h, o = forward(network, [0.05, 0.10])[0]
    deltas = [[d1, d1, d2, d2, d1, d2] for dC_dw, (d1, d2) in gradient]
    sgd_step(network, gradient, 0.5)
    fall = 0.5 * sum(d * d for d in flat(gradient))
    C_new = mean_loss(network, MAZUR, squared_error)
    rows = zip(*[printed_as(column, 6) for column in [
        flat(deltas), x + x + [1.0] * 2 + h + h + [1.0] * 2, flat(gradient),
        flat(nudged), old, flat(network)]])
    found = part(3)
    assert found[:72] == [number for row in rows for number in row]
    assert [number for number in found[72:-1] if number != 0.5] == (
        printed_as([fall, C - C_new, C, C_new], 4))
    bars = re.findall(r"  (#*)[|](#*) ", demo_output.partition("\n4.")[0])
    assert [len(right) - len(left) > 0 for left, right in bars] == [
        d > 0 for d in flat(gradient)]


def test_demo_checks_all_activations_and_losses_and_a_wrong_slope(
        part, demo_output):
    def wrong(z):
        return tanh(z)[0], 1 - tanh(z)[0]

    check = gradient_check(
        init_network([3, 5, 4, 3], [wrong, wrong, linear], uniform(2)),
        [([0.5, -1.0, 2.0], [0.0, 1.0, 0.0]),
         ([-1.5, 0.3, 0.8], [0.7, 0.1, 0.2])], squared_error)
    assert part(3)[-1:] == printed_as([check], 2)
    assert "is below 1e-8;" in demo_output


def test_demo_films_how_xor_is_learned(part, demo_output):
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    pictures, losses, done = [], [], 0
    for epoch in [0, 40, 60, 80, 180]:
        train(network, XOR, squared_error, 1.0, epoch - done)
        done = epoch
        losses.append(mean_loss(network, XOR, squared_error))
        pictures.append(["".join(
            " .:-=+*#%@"[int(10 * predict(network, [x / 10, y / 6])[0])]
            for x in range(11)) for y in [6, 5, 4, 3, 2, 1, 0]])
    film = [row for row in zip(*pictures)]
    assert re.findall(r"(?m)^   " + "  ".join([r"\|(.{11})\|"] * 5) + "$",
                      demo_output) == film
    assert part(4)[-9:] == printed_as(losses, 3) + printed_as(
        [predict(network, inputs)[0] for inputs, targets in XOR], 2)


# --- The README --------------------------------------------------------------
#
# The module and its tests may be copied without it; then these do not apply.

HAS_README = os.path.exists(os.path.join(FOLDER, "README.md"))
README = read("README.md") if HAS_README else ""
TEXT = " ".join(README.split())             # without the ends of its lines
PYTHON = re.findall(r"```python\n(.*?)```", README, re.S)
about_readme = pytest.mark.skipif(not HAS_README, reason="without a README")

# what the blocks print stands behind # at their end; these need other packages
OTHERS = [code for code in PYTHON if re.search("import (torch|numpy)", code)]
EXAMPLES = [code for code in PYTHON
            if re.search(r"\n# .*\n$", code) and code not in OTHERS]


def printed(code):
    """The lines behind # at the end of a block."""
    return re.sub("(?m)^# ", "", re.search(r"(\n# .*)+\n$", code).group()[1:])


def first_line(code):
    """A label for a block: its last line of code that is not a comment."""
    lines = [line for line in code.splitlines() if not line.startswith("#")]
    return lines[-1].strip()[:40] if lines else ""


@about_readme
def test_readme_has_as_many_blocks_of_each_kind_as_are_tested():
    # all but one, which shows how to pair the columns of a table
    assert (len(EXAMPLES), len(OTHERS), len(PYTHON)) == (9, 2, 12)


@about_readme
@pytest.mark.parametrize("code", EXAMPLES, ids=first_line)
def test_readme_example_prints_what_it_says_when_it_runs_alone(
        code, capsys, tmp_path, monkeypatch):
    [table] = re.findall(r"```csv\n(.*?)```", README, re.S)
    (tmp_path / "iris.csv").write_text(table)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out == printed(code)


@about_readme
@pytest.mark.parametrize("code", OTHERS, ids=first_line)
def test_readme_recipe_prints_the_gradient_that_the_file_computes(code):
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    gradient = loss_and_gradient(network, XOR, squared_error)[1]
    assert printed(code).splitlines() == [
        str(["%.6f" % d for d in row]) for row in gradient[0][0]]


def is_a_check(part):
    """Whether a statement is a docstring, a check_...(), or a refusal."""
    if isinstance(part, ast.If):
        return isinstance(part.body[0], ast.Raise) or is_a_check(part.body[0])
    if not isinstance(part, ast.Expr):
        return False
    called = getattr(getattr(part.value, "func", None), "id", "")
    return not called or called == "refuse" or called.startswith("check_")


def code_of(source):
    """Its functions by name, without docstrings and checks of the input."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            node.body = [part for part in node.body if not is_a_check(part)]
            found[node.name] = ast.dump(node)
    return found


@about_readme
def test_readme_shows_the_functions_of_the_file_in_one_block():
    [block] = [code for code in PYTHON if "def backward" in code]
    file, shown = code_of(SOURCE), code_of(block)
    assert sorted(shown) == ["backward", "dot", "forward", "parameters",
                             "send_back", "sgd_step", "sigmoid"]
    assert [name for name in shown if shown[name] != file[name]] == []


@about_readme
def test_readme_block_computes_what_the_module_computes(capsys):
    [block] = [code for code in PYTHON if "def backward" in code]
    variables = {}
    exec(block, variables)
    network = [[[[0.5, -0.5], [-0.5, 0.5]], [0.0, 0.0], sigmoid],
               [[[0.5, 0.5]], [0.0], sigmoid]]
    train(network, XOR, squared_error, 1.0, epochs=1000)
    # math.sumprod may round other than the loop, and 1,000 epochs spread it
    assert flat(variables["network"]) == near(flat(network), 1e-9)


@about_readme
def test_readme_shows_what_the_demo_prints(demo_output):
    [shown] = re.findall(r"```text\n(.*?)```", README, re.S)
    assert shown in demo_output


@pytest.mark.skipif(not os.path.exists(os.path.join(FOLDER, ".github")),
                    reason="without the picture")
def test_picture_has_the_numbers_that_the_code_computes():
    def texts(label):
        [group] = re.findall('<g[^>]*class="%s"[^>]*>(.*?)</g>' % label,
                             read(".github", "network.svg"), re.S)
        return re.findall(r">(?:\w+ )?(-?\d+\.\d+)<", group)

    network, [(inputs, targets)] = example_network(), MAZUR
    activations, slopes = forward(network, inputs)
    C, gradient = loss_and_gradient(network, MAZUR, squared_error)
    assert texts("activations") == [
        "%.*f" % (2 if layer == 0 else 4, a)
        for layer, row in enumerate(activations) for a in row]
    assert texts("deltas") == ["%.4f" % d for dC_dw, dC_db in gradient
                               for d in dC_db]
    assert sorted(texts("weights")) == sorted(
        "%.2f" % w for weights, biases, f in network
        for row in weights for w in row)
    assert texts("targets") == ["%.2f" % t for t in targets] + ["%.4f" % C]


@about_readme
def test_readme_links_lead_to_its_headings():
    slugs = [re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
             for heading in re.findall(r"(?m)^#+ (.*)$", README)]
    assert [link for link in re.findall(r"\]\(#(.*?)\)", README)
            if link not in slugs] == []


SLOPE = "dC_da[j] * slopes[layer][j]"
IF_TOP = "dC_da[j] * (%s if layer == len(network) - 1 else %s)"
MISTAKES = [
    ("slope forgotten at the outputs",
     SLOPE, IF_TOP % ("1", "slopes[layer][j]")),
    ("slope forgotten in the hidden layers",
     SLOPE, IF_TOP % ("slopes[layer][j]", "1")),
    ("slope taken at a, not at z",
     "a, slope = f(z)", "a, slope = f(z)[0], f(f(z)[0])[1]"),
    ("dC/da sent back in place of delta",
     "send_back(network[layer][0], deltas)",
     "send_back(network[layer][0], dC_da)"),
    ("row for column in (2) \u00b9", "weights[k][j]", "weights[j][k]"),
    ("`=` for `+=` in (2) \u00b2", "dC_da[j] += w", "dC_da[j] = w"),
    ("target - output in the loss", "dC_da.append(a - t)",
     "dC_da.append(t - a)"),
    ("factor 2, or the half forgotten in C",
     "dC_da.append(a - t)", "dC_da.append(2 * (a - t))"),
    ("inputs in place of hidden activations in (3) \u00b9",
     "for a in activations[layer]]", "for a in activations[0]]"),
    ("off by one layer in (3) \u00b9",
     "for a in activations[layer]]", "for a in activations[layer + 1]]"),
    ("biases forgotten in (4)", "dC_db = deltas",
     "dC_db = [0.0] * len(deltas)"),
    ("sum for mean over the samples", "row[i] /= n", "pass"),
    ("step with the wrong sign", "row[i] -= learning_rate",
     "row[i] += learning_rate"),
]


def differing_layers(g, n, part):
    """The layers whose weights (part 0) or biases (part 1) differ."""
    return ", ".join(str(layer) for layer in range(len(g)) if max(
        abs(a - b) for a, b in zip(flat(g[layer][part]), flat(n[layer][part])))
        > 1e-6)


@about_readme
@pytest.mark.parametrize("title, old, new", MISTAKES,
                         ids=[mistake[0] for mistake in MISTAKES])
def test_readme_says_truly_what_becomes_of_a_mistake(title, old, new):
    wrong = {"__name__": "wrong"}
    assert SOURCE.count(old) == 1
    exec(SOURCE.replace(old, new), wrong)
    rng, loss = uniform(2), wrong["squared_error"]
    functions = [wrong["tanh"], wrong["tanh"], wrong["sigmoid"]]
    problem = (wrong["init_network"]([3, 3, 3, 3], functions, uniform(1)),
               [([next(rng) for _ in range(3)], [next(rng) for _ in range(3)])
                for _ in range(4)], loss)
    check = wrong["gradient_check"](*problem)
    g, n = (wrong["loss_and_gradient"](*problem)[1],
            wrong["numerical_gradient"](*problem))
    weights, biases = (differing_layers(g, n, part) for part in (0, 1))
    layers = weights or "none" if weights == biases else (
        weights + " weights" if weights else biases + " biases")
    try:
        learned = sum(learns_xor(seed, 1.0, 200, wrong) for seed in range(5))
    except (IndexError, ValueError):
        learned = "-"
    [row] = [line for line in README.splitlines()
             if line.startswith("| %s |" % title)]
    assert row == "| %s | %s | %s | %s |" % (
        title, "< 1e-8" if check < 1e-8 else "%.2f" % check, layers, learned)


# The numbers of the exercises are our own; these tests guard them.

def epochs_with_momentum(momentum):
    """How many epochs of all four samples take XOR to a loss below 0.01."""
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    changes = [[0.0] * len(row) for row in parameters(network)]
    for epochs in range(1000):
        if mean_loss(network, XOR, squared_error) < 0.01:
            return epochs
        C, gradient = loss_and_gradient(network, XOR, squared_error)
        for change, row in zip(changes, parameters(gradient)):
            for i in range(len(row)):
                row[i] = change[i] = momentum * change[i] + row[i]
        sgd_step(network, gradient, 1.0)


@about_readme
def test_readme_says_truly_what_momentum_saves():
    assert re.findall(r"need (\d+) epochs without momentum and (\d+) with",
                      TEXT) == [(str(epochs_with_momentum(0.0)),
                                 str(epochs_with_momentum(0.9)))]


@about_readme
def test_readme_says_truly_how_errors_fade_with_large_weights():
    network = init_network([4] * 11, [tanh] * 10, uniform(1))
    for row in parameters(network):
        row[:] = [5 * w for w in row]
    C, gradient = loss_and_gradient(network, [([1] * 4, [0] * 4)],
                                    squared_error)
    assert re.findall("get about (.*?) for the first layer", TEXT) == [
        "%.0e" % max(map(abs, gradient[0][1]))]


@about_readme
def test_readme_says_truly_when_other_inputs_change_the_answer():
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    train(network, XOR, squared_error, 1.0, epochs=1000)
    inputs, steps = [0.0, 0.0], 0
    while predict(network, inputs)[0] <= 0.5 and steps < 100:
        inputs = [x + 0.1 * slope
                  for x, slope in zip(inputs, jacobian(network, inputs)[0])]
        steps += 1
    assert re.findall(r"need (\d+) steps, to about (\S+), (\S+)\.", TEXT) == [
        (str(steps), "%.2f" % inputs[0], "%.2f" % inputs[1])]


@about_readme
def test_readme_says_truly_what_becomes_of_equal_weights():
    network = [[[[0.5, 0.5] for j in range(4)], [0.0] * 4, tanh],
               [[[0.5] * 4], [0.0], sigmoid]]
    train(network, XOR, squared_error, 1.0, epochs=1000)
    assert network[0][0] == [network[0][0][0]] * 4
    assert re.findall("three answers near (.*?)[.] Why", TEXT) == ["0.65"]
    assert [predict(network, x)[0] for x, t in XOR[1:]] == pytest.approx(
        [0.65] * 3, abs=0.01)


@about_readme
def test_readme_says_truly_where_a_sigmoid_applied_twice_stays():
    def hidden(logits, targets):        # so that it is not refused
        return sigmoid_cross_entropy(logits, targets)

    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    losses = train(network, XOR, hidden, 1.0, epochs=400)
    assert re.findall("XOR stays at a loss of (.*?) [(]seed 1, 400", TEXT) == [
        "%.2f" % losses[-1]]
    assert gradient_check(network, XOR, hidden) < 1e-6


# --- Numbers from other programs ---------------------------------------------
#
# What PyTorch 2.13 gave in double precision, to 13 digits: the loss, and the
# gradients that its backward() left in the weights and biases, in the order of
# parameters.  The numbers of the networks are cos 1, cos 2, ... or sines.
#
#   numbers = map(math.cos, itertools.count(1))
#   W = torch.tensor([[next(numbers) for i in range(n_in)]
#                     for j in range(n_out)], requires_grad=True)
#   b = torch.tensor([next(numbers) for j in range(n_out)], requires_grad=True)
#   x = f(x @ W.T + b)                          for each layer
#   C = ((x - t)**2).sum(1).mean() / 2          a function in each layer
#   C = torch.nn.functional.cross_entropy(x, t)              the classifier

PYTORCH = [
    dict(what="another function in each layer", numbers=math.cos,
         sizes=[2, 3, 3, 3, 3, 2, 2], loss=squared_error,
         functions=[tanh, swish, relu, leaky_relu, sigmoid, linear],
         samples=[([0.5, -1.0], [0.25, -0.5]), ([1.5, 0.75], [1.0, 0.5])],
         C=0.34101095,
         gradient=[
             -0.0006130463285869, -0.0009546767861789, 0.0001599748923361,
             -0.0005183679546269, 0.001383052179653, 0.0009960356330551,
             -6.301562071903e-05, 0.000425772808648, 0.0007596296967131,
             -0.003674596362622, 0.004857628786097, -0.001740071585932,
             -0.003008061344771, 0.006919379111377, -0.004780167822734,
             -0.0001901462010591, 0.0001529521312692, 2.217545372299e-05,
             -0.004361814151808, -0.003720607627146, -0.0002206915587566,
             -0.01063983652223, 0.001176946136287, 0.005041183409098,
             -0.01326624128861, 0.001456088602465, 0.006287844777115, 0, 0,
             0, -0.01787663348137, -0.02229855784388, 0, -2.154581961201e-05,
             -0.0001578094067472, 0, -0.005546979457058, -0.03455433340602,
             0, -3.839509621302e-05, -0.0002155863135929, 0,
             -0.0001027984508247, -0.02360213358998, -0.0001522472932168,
             -0.0002657868644248, 0.06537825478469, -0.0003006792787731,
             -3.67199242513e-05, 0.004177407835368, -4.580315406271e-05,
             0.02379043503501, 6.175265881859e-06, -0.03007035476517,
             -0.446973607425, 0.0002287376172241, 0.03540079323384,
             -0.5319240238963, 0.03669782713328]),
    dict(what="a softmax classifier", numbers=math.sin,
         sizes=[3, 4, 3], loss=softmax_cross_entropy,
         functions=[tanh, linear],
         samples=[([0.5, -1.0, 0.25], [0.0, 1.0, 0.0]),
                  ([1.5, 0.75, -0.5], [0.5, 0.25, 0.25])],
         C=1.873566860263,
         gradient=[
             -0.2306090606138, 0.5040937826736, -0.1295964174556,
             0.2187837221554, 0.06034787013177, -0.05657991040316,
             0.3584200244046, -0.7270553447039, 0.1826151108339,
             0.1976417950003, -0.5538431651579, 0.1516740892193,
             -0.4840851406655, 0.1720126099415, 0.7222882066198,
             0.4798486967511, -0.2026775501051, 0.2002664114238,
             -0.1913356316891, 0.2118591271079, 0.1333476333485,
             -0.475354200944, 0.07728374312419, -0.2425960729007,
             0.0693299167566, 0.2750877895201, 0.1140518885649,
             0.0307369457928, -0.1225255053804, -0.3209921751251,
             0.4435176805055]),
]


@pytest.mark.parametrize("known", PYTORCH, ids=lambda known: known["what"])
def test_loss_and_gradient_are_those_of_pytorch(known):
    numbers, sizes = map(known["numbers"], itertools.count(1)), known["sizes"]
    network = [[[[next(numbers) for i in range(n_in)] for j in range(n_out)],
                [next(numbers) for j in range(n_out)], f]
               for n_in, n_out, f in zip(sizes, sizes[1:], known["functions"])]
    C, gradient = loss_and_gradient(network, known["samples"], known["loss"])
    # 13 digits are given, of numbers down to 6e-6
    assert [C, *flat(gradient)] == near([known["C"], *known["gradient"]],
                                        1e-12)


# What mpmath 1.3 computed, from the floats below, with 50 digits.  Derivatives
# are its difference quotients of functions written as they are defined, such
# as sum((p - q)**2) / 2 or -sum(q * log(p)): there is no chain rule in them.
#
#   def outputs(network, x):
#       for weights, biases, f in network:
#           x = [f(fdot(row, x) + b) for row, b in zip(weights, biases)]
#       return x
#
# With C = lambda: loss(outputs(network, x), t), dC_db is slope(biases, j, C)
# and dC_dw slope(row, i, C), where slope(row, i, C) is mpmath.diff of C() as a
# function of row[i].  The jacobian is slope(x, i, lambda: outputs(network,
# x)[k]).
MPMATH = [
    dict(shape="2-2-2",
         network=[[[[0.5, -0.3], [0.2, 0.8]], [0.1, -0.2], swish],
                  [[[1.0, -0.7], [0.4, 0.6]], [0.0, 0.3], linear]],
         inputs=[0.9, -1.2], targets=[0.25, 0.75],
         loss=softmax_cross_entropy,
         C=0.8260672383358221,
         outputs=[0.8360339116945614, 0.3990716904504147],
         gradient=[0.1736102939873133, -0.2314803919830845,
                   -0.03281201376170865, 0.04374935168227819,
                   0.1929003266525704, -0.03645779306856516,
                   0.2319794554106774, -0.09561698357156061,
                   -0.2319794554106774, 0.09561698357156061,
                   0.3575349513094569, -0.3575349513094569],
         jacobian=[0.4386257840448643, -0.3136897760378714,
                   0.1892554654619328, -0.07025530303920012]),
    dict(shape="3-2-3-1",
         network=[[[[0.4, -0.6, 0.2], [0.3, 0.1, -0.5]], [0.2, -0.1], tanh],
                  [[[0.7, 0.9], [-1.1, 0.2], [0.5, -0.8]],
                   [0.0, 0.1, -0.2], leaky_relu],
                  [[[0.6, -0.9, 1.3]], [0.4], linear]],
         inputs=[1.0, -0.5, 2.0], targets=[1.0],
         loss=sigmoid_cross_entropy,
         C=0.21501880528375408,
         outputs=[1.4275947486348162],
         gradient=[-0.0330765364955074, 0.0165382682477537,
                   -0.06615307299101481, 0.1047542569499405,
                   -0.05237712847497027, 0.2095085138998811,
                   -0.0330765364955074, 0.1047542569499405,
                   -0.001000324747237373, 0.0008022227153381519,
                   0.001500487120856059, -0.001203334073007228,
                   -0.2167370285680975, 0.1738149216565996,
                   -0.001160842361524223, 0.001741263542286335,
                   -0.251515844996915, 3.628853456362641e-05,
                   0.001907862548127197, -0.1516286789307272,
                   -0.1934737269207038],
         jacobian=[-0.09404720101472375, -0.156720750020626,
                   0.304911869497661]),
]
by_mpmath = pytest.mark.parametrize("known", MPMATH,
                                    ids=[known["shape"] for known in MPMATH])


@by_mpmath
def test_predict_computes_the_outputs_of_mpmath(known):
    assert predict(known["network"], known["inputs"]) == near(known["outputs"])


@by_mpmath
def test_loss_and_gradient_are_those_of_mpmath(known):
    C, gradient = loss_and_gradient(
        known["network"], [(known["inputs"], known["targets"])], known["loss"])
    assert C == near(known["C"])
    assert flat(gradient) == near(flat(known["gradient"]))


@by_mpmath
def test_jacobian_is_the_one_of_mpmath(known):
    assert flat(jacobian(known["network"], known["inputs"])) == near(
        flat(known["jacobian"]))


def test_jacobian_multiplies_by_the_slope_of_the_outputs():
    # d sigmoid(2 * x) / dx at x = 0 is 2 / 4
    assert jacobian([[[[2.0]], [0.0], sigmoid]], [0.0]) == [[0.5]]
