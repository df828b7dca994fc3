"""What backprop.py promises.

An expected number is published, worked out on paper, or computed here in a
second way: from the definitions of all functions, in 60-digit decimals, with
derivatives as difference quotients.  That way knows no chain rule, so it can't
share a mistake with the module.

Tolerances: a double carries about 16 digits.  1e-14 of the number, or 1e-16 if
that is more, leaves room for some dozens of roundings, whose order isn't the
same on all Pythons.  Where another one is needed, its reason stands beside it.
"""

import array
import ast
import code as code_module
import copy
import decimal
import doctest
import importlib.util
import inspect
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
    predict, relu, send_back, sgd_step, sigmoid, sigmoid_cross_entropy,
    softmax, softmax_cross_entropy, squared_error, swish, tanh, train, uniform)

ACTIVATIONS = [linear, sigmoid, tanh, relu, leaky_relu, swish]
LOSSES = [squared_error, sigmoid_cross_entropy, softmax_cross_entropy]


def each(names, rows):
    """One case for each row, with its functions and texts for a label."""
    return pytest.mark.parametrize(names, rows, ids=lambda value: (
        value if isinstance(value, str) else getattr(value, "__name__", None)))


def near(expected, relative=1e-14, absolute=1e-16):
    """Equal to this, apart from some roundings: see the head of the file."""
    return pytest.approx(expected, rel=relative, abs=absolute)


def flat(nest):
    """The numbers of nested lists in one list; functions are left out."""
    if isinstance(nest, (list, tuple)):
        return [number for part in nest for number in flat(part)]
    return [nest] if isinstance(nest, (int, float)) else []


def node(w=1.0, b=0.0, f=linear):
    """A network of one node; with ONE, C is f(w + b)[0]**2 / 2."""
    return [[[[w]], [b], f]]


ONE = [([1.0], [0.0])]
MAZUR = [([0.05, 0.10], [0.01, 0.99])]


def mazur():
    """The 2-2-2 network of Matt Mazur's "Step by Step ... Example" (2015)."""
    return [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
            [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]


# --- Numbers that others have published --------------------------------------

def rounded(numbers, text):
    """The numbers, each with as many digits as in the text; - stays."""
    words = text.split()
    assert len(numbers) == len(words)
    return " ".join([word if word == "-" else "%.*f" % (
        len(word.partition(".")[2]), number)
        for word, number in zip(words, numbers)])


@pytest.mark.parametrize("network, sample, rate, a, delta, after", [
    # Mazur holds the biases; - stands for what he does not print
    (mazur(), MAZUR[0], 0.5,
     "0.593269992 0.596884378 0.751365070 0.772928465", "- - 0.138498562 -",
     "0.149780716 0.19956143 0.24975114 0.29950229 - - "
     "0.35891648 0.408666186 0.511301270 0.561370121 - -"),
    # J. Han, M. Kamber, J. Pei, "Data Mining" (2012), example 9.1; its Err is
    # -delta, and the last, 0.1311, comes from a rounded output: three digits
    ([[[[0.2, 0.4, -0.5], [-0.3, 0.1, 0.2]], [-0.4, 0.2], sigmoid],
      [[[-0.3, -0.2]], [0.1], sigmoid]], ([1, 0, 1], [1]), 0.9,
     "0.332 0.525 0.474", "0.0087 0.0065 -0.131",
     "0.192 0.4 -0.508 -0.306 0.1 0.194 -0.408 0.194 -0.261 -0.138 0.218"),
], ids=["Mazur", "Han, Kamber, Pei"])
def test_a_step_gives_the_numbers_that_books_print(
        network, sample, rate, a, delta, after):
    network, (inputs, targets) = copy.deepcopy(network), sample
    activations, slopes = forward(network, inputs)
    C, dC_da = squared_error(activations[-1], targets)
    gradient = backward(network, activations, slopes, dC_da)
    sgd_step(network, gradient, rate)
    assert [rounded(flat(activations[1:]), a),
            rounded(flat([dC_db for dC_dw, dC_db in gradient]), delta),
            rounded(flat(network), after)] == [a, delta, after]


# What PyTorch 2.13.0 computes in float64, to 13 digits: the loss, and what its
# backward() leaves in the weights and biases, in the order of parameters.  The
# networks are filled with cos 1, cos 2, ... or with sines:
#   W = torch.tensor([[next(numbers) for i in range(n_in)]
#                     for j in range(n_out)], requires_grad=True)
#   b = torch.tensor([next(numbers) for j in range(n_out)], requires_grad=True)
#   x = f(x @ W.T + b)                       for each layer; swish is F.silu
#   C = ((x - t)**2).sum(1).mean() / 2       a different function in each layer
#   C = F.cross_entropy(x, t)                the softmax classifier
@pytest.mark.parametrize("fill, sizes, functions, samples, loss, expected", [
    (math.cos, [1, 2, 1, 2, 2, 1, 2],
     [tanh, swish, relu, leaky_relu, sigmoid, linear],
     [([0.5], [0.25, -0.5]), ([1.5], [1.0, 0.5])], squared_error, """
     1.314016479711 5.304898112257e-05 5.310101016477e-05
     3.787012907325e-05 4.243287840126e-05 -3.524224127686e-05
     -0.0001211886217113 0.0001455544190518 0 1.942933409099e-05 0
     -0.0003606414687175 0 8.389000094395e-05 0 0.0001256100751615
     0.00156767779276 0.002347313424269 -0.002158321561735
     -0.0007497881970739 0.2374130130569 -0.8890484976449
     -0.1042684736469 -1.485615262834 -0.1742359868778"""),
    (math.sin, [2, 2, 3], [tanh, linear],
     [([0.5, -1.0], [0.0, 1.0, 0.0]), ([1.5, 0.75], [0.5, 0.25, 0.25])],
     softmax_cross_entropy, """
     1.453628282832 -0.02008497490816 0.08177304074467 -0.1830236348505
     -0.2494062423591 -0.06235826497811 -0.03780539660225
     -0.214916818121 0.1417640323337 0.5004349196097 -0.3072947874652
     -0.2855181014887 0.1655307551315 -0.04782691997688
     -0.1874655353152 0.2352924552921"""),
], ids=["a function per layer", "softmax classifier"])
def test_loss_and_gradient_are_those_of_pytorch(
        fill, sizes, functions, samples, loss, expected):
    numbers = map(fill, itertools.count(1))
    network = [[[[next(numbers) for i in range(n_in)] for j in range(n_out)],
                [next(numbers) for j in range(n_out)], f]
               for n_in, n_out, f in zip(sizes, sizes[1:], functions)]
    found = flat(loss_and_gradient(network, samples, loss))
    # 13 digits are given
    assert found == near(list(map(float, expected.split())), 1e-12)


# --- The second way: the definitions, in 60 digits ---------------------------

decimal.setcontext(decimal.Context(
    prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN))
D = decimal.Decimal


def probabilities(logits):
    total = sum([z.exp() for z in logits])
    return [z.exp() / total for z in logits]


DEFINITIONS = {
    linear: lambda z: z,
    sigmoid: lambda z: 1 / (1 + (-z).exp()),
    tanh: lambda z: (z.exp() - (-z).exp()) / (z.exp() + (-z).exp()),
    relu: lambda z: max(z, D(0)),
    leaky_relu: lambda z: max(z, z / 100),
    swish: lambda z: z / (1 + (-z).exp()),
    squared_error: lambda a, t: sum([(p - q)**2 for p, q in zip(a, t)]) / 2,
    # the probability of no, 1 - sigmoid(z), is sigmoid(-z)
    sigmoid_cross_entropy: lambda a, t: -sum([
        q * DEFINITIONS[sigmoid](z).ln()
        + (1 - q) * DEFINITIONS[sigmoid](-z).ln() for z, q in zip(a, t)]),
    softmax_cross_entropy: lambda a, t: -sum([
        q * p.ln() for p, q in zip(probabilities(a), t)]),
}


def derivatives(C, numbers):
    """dC()/dx of each x in a list: nudge x both ways, divide, put it back."""
    found, nudge = [], D(10)**-25       # misses by 1e-50, rounds by 1e-35
    for i, x in enumerate(numbers):
        numbers[i] = x + nudge
        right = C()
        numbers[i] = x - nudge
        left = C()
        numbers[i] = x
        found.append(float((right - left) / (2 * nudge)))
    return found


def decimals(nest):
    """A copy of nested lists, in which the numbers are decimals."""
    if isinstance(nest, (list, tuple)):
        return [decimals(part) for part in nest]
    return D(nest) if isinstance(nest, (int, float)) else nest


def outputs_by_definition(network, a):
    for weights, biases, f in network:
        a = [DEFINITIONS[f](sum([w * x for w, x in zip(row, a)]) + b)
             for row, b in zip(weights, biases)]
    return a


def problem(seed, sizes=None, count=2, reach=2):
    """A random network, its samples, and a loss that suits it.

    Losses and functions take turns.  No z of the seeds used here lies so close
    to the kink of relu that a float's nudge would cross it.
    """
    rnd, loss = random.Random(seed), LOSSES[seed % 3]

    def numbers(n, low, high):
        return [rnd.uniform(low, high) for _ in range(n)]

    sizes = sizes or [rnd.randint(1, 4) for _ in range(rnd.randint(2, 4))] + [
        rnd.randint(2, 4)]              # of one class, the softmax is 1
    network = [[[numbers(n_in, -1, 1) for _ in range(n_out)],
                numbers(n_out, -0.5, 1), ACTIVATIONS[(seed + layer) % 6]]
               for layer, (n_in, n_out) in enumerate(zip(sizes, sizes[1:]))]
    if loss is not squared_error:
        network[-1][2] = linear
    samples = []
    for _ in range(count):
        targets = numbers(sizes[-1], 0.1, 1)
        total = sum(targets) if loss is softmax_cross_entropy else 1
        samples.append((numbers(sizes[0], -reach, reach),
                        [t / total for t in targets]))
    return network, samples, loss


# every activation function behind every loss; then wide, many outputs, deep,
# far from 0, and a long batch
@each("seed, sizes, count, reach", [(seed, None, 2, 2) for seed in range(12)]
      + [(0, [35, 2], 2, 2), (3, [1, 33, 12], 1, 2), (1, [2, 12], 1, 2),
         (2, [2, 12], 1, 2), (0, [2] * 13, 1, 2), (3, [2, 3, 3], 2, 50),
         (4, [3, 2, 3], 2, 50), (5, [3, 3], 2, 50), (6, [2, 2], 70, 2)])
def test_all_results_follow_from_the_definitions(seed, sizes, count, reach):
    network, samples, loss = problem(seed, sizes, count, reach)
    twin, pairs = decimals(network), decimals(samples)

    def C():
        return sum([DEFINITIONS[loss](outputs_by_definition(twin, x), t)
                    for x, t in pairs]) / len(pairs)

    expected = [derivatives(C, row) for row in parameters(twin)]
    found, gradient = loss_and_gradient(network, samples, loss)
    # the slope at an output of 0.9 is right to 1e-16 / 0.1, and layers add up
    assert parameters(gradient) == [near(row, 1e-12, 1e-15)
                                    for row in expected]
    assert found == near(float(C()), 1e-13)     # 70 samples, or 12 outputs
    assert mean_loss(network, samples, loss) == near(float(C()), 1e-13)
    inputs, x = samples[0][0], pairs[0][0]
    assert predict(network, inputs) == near(
        list(map(float, outputs_by_definition(twin, x))), 1e-13)
    assert jacobian(network, inputs) == [
        near(derivatives(lambda: outputs_by_definition(twin, x)[k], x),
             1e-12, 1e-15) for k in range(len(network[-1][1]))]


@each("f", ACTIVATIONS)
def test_activation_returns_its_value_and_its_slope(f):
    # exp overflows above 709.8 and is 0 below -745.2
    for z in [-1e4, -746.0, -710.0, -40.0, -8.5, -3.0, -1.0, -0.1,
              0.1, 1.0, 2.0, 5.5, 8.5, 40.0, 710.0, 746.0, 1e4]:
        x = [D(z)]
        [slope] = derivatives(lambda: DEFINITIONS[f](x[0]), x)
        # 1 - a * a loses digits where a is near 1
        assert f(z) == (near(float(DEFINITIONS[f](x[0])), absolute=1e-300),
                        near(slope, 1e-13, 1e-15)), z


def test_activations_do_not_hide_a_nan():
    assert [f for f in ACTIVATIONS if not math.isnan(f(math.nan)[0])] == []


@each("loss", LOSSES)
def test_loss_returns_its_value_and_its_derivatives(loss):
    for outputs, targets in [
            ([-2.0, 0.5, 3.0], [0.5, 0.25, 0.25]), ([-4.0, 6.0], [1.0, 0.0]),
            ([0.1, -0.2, 0.3, 5.0], [0.0, 0.0, 1.0, 0.0]),
            ([1e4, 1e4], [0.5, 0.5]), ([-745.0, 745.0], [1.0, 0.0]),
            ([-1e4, 1e4], [0.0, 1.0]), ([25.0, -25.0], [1.0, 0.0]),
            ([0.1 * i for i in range(32)], [1 / 32] * 32)]:
        a, t = decimals(outputs), decimals(targets)
        assert loss(outputs, targets) == (
            # 32 outputs; and 1 + exp(-25) is rounded to 1e-16
            near(float(DEFINITIONS[loss](a, t)), 1e-13, 1e-15),
            near(derivatives(lambda: DEFINITIONS[loss](a, t), a))), outputs


@each("logits", [[-2.0, 0.5, 3.0], [-1e4, 1e4, 9.9e3], [0.1] * 40, [-800.0]])
def test_softmax_is_exp_over_the_sum_of_exps(logits):
    assert softmax(logits) == near(
        list(map(float, probabilities(decimals(logits)))))


# --- Numbers worked out on paper ---------------------------------------------

def scaled(factor):
    """The squared error, with derivatives that are wrong by a factor."""
    return lambda outputs, targets: (
        0.5 * outputs[0]**2, [factor * outputs[0]])


@each("function, arguments, expected", [
    (list, [XOR], [([a, b], [a ^ b]) for a in (0, 1) for b in (0, 1)]),
    (sigmoid, [0.0], (0.5, 0.25)), (tanh, [0.0], (0.0, 1.0)),
    (swish, [0.0], (0.0, 0.5)), (linear, [-1e300], (-1e300, 1.0)),
    (sigmoid, [-1e300], (0.0, 0.0)), (sigmoid, [1e300], (1.0, 0.0)),
    (swish, [-1e300], (0.0, 0.0)), (swish, [1e300], (1e300, 1.0)),
    (relu, [-1e-300], (0.0, 0.0)), (relu, [1e-300], (1e-300, 1.0)),
    (relu, [1e300], (1e300, 1.0)), (leaky_relu, [1e-300], (1e-300, 1.0)),
    # at a kink, the slope is ours to choose
    (relu, [0.0], (0.0, 0.0)), (leaky_relu, [0.0], (0.0, 0.01)),
    (squared_error, [[3e9], [1e9]], (2e18, [2e9])),
    (sigmoid_cross_entropy, [[1e300], [1.0]], (0.0, [0.0])),
    (sigmoid_cross_entropy, [[1e300], [0.0]], (1e300, [1.0])),
    (sigmoid_cross_entropy, [[-1e300], [1.0]], (1e300, [-1.0])),
    (softmax_cross_entropy, [[1e300, 0.0], [1.0, 0.0]], (0.0, [0.0, 0.0])),
    (softmax_cross_entropy, [[1e300, 0.0], [0.0, 1.0]], (1e300, [1.0, -1.0])),
    (softmax_cross_entropy, [[-1e308, 1e308], [0, 1]], (0.0, [0.0, 0.0])),
    # targets may miss 1 by rounding: thirds to seven digits
    (softmax_cross_entropy, [[5.0] * 3, [0.3333333] * 3],
     (near(math.log(3), 1e-6), near([1 / 3 - 0.3333333] * 3))),
    # z = 1 - 4 + 0.5 = -2.5 and 3 + 2 - 1 = 4;  then 0 + 16 + 1 = 17
    (forward, [[[[[1.0, -2.0], [3.0, 1.0]], [0.5, -1.0], relu],
                [[[2.0, 4.0]], [1.0], leaky_relu]], [1.0, 2.0]],
     ([[1.0, 2.0], [0.0, 4.0], [17.0]], [[0.0, 1.0], [1.0]])),
    # node 0 sends by the weights 2 and 5, node 1 by 3 and 7
    (send_back, [[[2.0, 3.0], [5.0, 7.0]], [10.0, 100.0]], [520.0, 730.0]),
    # d sigmoid(2 * x) / dx at 0 is 2 / 4
    (jacobian, [node(2.0, f=sigmoid), [0.0]], [[0.5]]),
    # differences 1, 2, ... 60: the mean of the halves of their squares
    (mean_loss, [node(), [([float(x)], [0.0]) for x in range(1, 61)],
                 squared_error], near(61 * 121 / 12)),
    (mean_loss, [node(1e200), ONE, squared_error], math.inf),
    # both gradients are 0
    (gradient_check, [node(0.0, -1.0, relu), ONE, squared_error], 0.0),
    # C = w2 * a1 + b2 and a1 = z1 = 2 * w1 + b1, but the first slope is given
    # as -2.  So n is 2, 1, 2, 1 for w1, b1, w2, b2, and g is -4, -2, 2, 1,
    # which is 5 long; g - n is -6, -3, 0, 0.  n misses by 1e-16 / nudge.
    (gradient_check, [node(f=lambda z: (z, -2.0)) + node(), [([2.0], [0.0])],
                      lambda outputs, targets: (outputs[0], [1.0])],
     near(math.sqrt(45) / (5 + math.sqrt(10)), 1e-9)),
    # 1e-10: again 1e-16 / nudge, times some roundings
    *[(gradient_check, [node(), ONE, scaled(factor)], near(expected, 0, 1e-10))
      for factor, expected in [(2, 1 / 3), (0.5, 1 / 3), (-1, 1), (0, 1),
                               (1 + 2e-8, 1e-8)]],
    (gradient_check, [node(1e-6), ONE, scaled(2)], near(1 / 3, 0, 1e-9)),
    # of 60 weights, only the last counts
    (gradient_check, [[[[[0.0] * 59 + [1.0]], [0.0], linear]],
                      [([0.0] * 59 + [1.0], [0.0])], scaled(2)],
     near(1 / 3, 0, 1e-10)),
    # +-sqrt(3 / 3), +-sqrt(3 / 12): from 0, 1/2, 1 to -limit, 0, limit
    (init_network, [[3, 2], [tanh], iter([0.25, 0.5, 0.75, 1.0, 0.0, 0.625])],
     [[[[-0.5, 0.0, 0.5], [1.0, -1.0, 0.25]], [0.0, 0.0], tanh]]),
    (init_network, [[12, 1], [relu], iter([0.25, 0.75] * 6)],
     [[[[-0.25, 0.25] * 6], [0.0], relu]]),
    # b alone moves, and a rate of 0.5 halves it
    (train, [node(b=1.0), [([0.0], [0.0])], squared_error, 0.5, 500],
     [0.5 / 4**epoch for epoch in range(500)]),
    (train, [node(), ONE, squared_error, 0.25, 0], []),
    (lambda *arguments: len(train(*arguments)),
     [node(), ONE, squared_error, 1e-9, 6000], 6000),
    # one epoch and batches of one sample, unless told otherwise: w falls from
    # 1 to 1/2 and b from 0 to -1/2, so the second output is 0
    (train, [node(), ONE * 2, squared_error, 0.5], [0.25]),
])
def test_number_worked_out_on_paper(function, arguments, expected):
    assert function(*copy.deepcopy(arguments)) == expected


@pytest.fixture(params=["the module's", "the loop"])
def dot(request, monkeypatch):
    """What the module uses here, and what it uses before Python 3.12."""
    if request.param == "the module's":
        return backprop.dot
    monkeypatch.delattr(math, "sumprod", raising=False)
    return runpy.run_path(os.path.join(FOLDER, "backprop.py"))["dot"]


def test_dot_adds_up_the_products(dot):
    assert dot(range(1, 100), range(1, 100)) == 99 * 100 * 199 / 6


def test_dot_refuses_lists_of_different_lengths(dot):
    for p, q in [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0])]:
        with pytest.raises(ValueError):
            dot(p, q)


def test_dot_is_sumprod_where_math_has_it(monkeypatch):
    monkeypatch.setattr(math, "sumprod", len, raising=False)    # or any other
    assert runpy.run_path(os.path.join(FOLDER, "backprop.py"))["dot"] is len


# --- What changes, and what does not -----------------------------------------

def test_passes_change_nothing_and_come_out_the_same_when_repeated():
    network, inputs = mazur(), [0.05, 0.10]
    network[1][2] = swish               # with a slope below 0 and one above 1
    activations, slopes = forward(network, inputs)
    dC_da = [-3.0, 7.0]
    given = [network, activations, slopes, dC_da, inputs]
    before = copy.deepcopy(given)
    twice = [[backward(network, activations, slopes, dC_da),
              predict(network, inputs), jacobian(network, inputs)]
             for _ in range(2)]
    assert (given, twice[0]) == (before, twice[1])


def test_loss_and_gradient_changes_nothing_that_it_was_given():
    given, kept = problem(0, [2, 3, 2], 3), [1.0]
    before = copy.deepcopy(given)
    loss_and_gradient(*given), mean_loss(*given), gradient_check(*given)
    loss_and_gradient(node(), ONE * 2, lambda outputs, targets: (1.0, kept))
    assert (given, kept) == (before, [1.0])


def test_parameters_are_the_lists_themselves_layer_by_layer():
    network = problem(0, [3, 2, 4, 1])[0]
    (w1, b1, _), (w2, b2, _), (w3, b3, _) = network
    assert list(map(id, parameters(network))) == list(map(
        id, [*w1, b1, *w2, b2, *w3, b3]))


def test_sgd_step_takes_rate_times_derivative_off_each_list_in_place():
    network = [[[[1.0] * 70, [2.0] * 70], [3.0, 4.0], tanh] for _ in range(20)]
    rows, gradient = parameters(network), [
        [[[2e9] * 70, [-6.0] * 70], [0.0, 8.0]] for _ in range(20)]
    before = copy.deepcopy(gradient)
    assert (sgd_step(network, gradient, 0.5), gradient) == (None, before)
    assert rows == [[1 - 1e9] * 70, [5.0] * 70, [3.0, 0.0]] * 20


# 1e-8: a difference misses by about nudge**2 = 1e-10, and by 1e-16 / nudge
@each("sizes, seeds", [(None, 36), ([35, 2, 33, 2], 2), ([3] * 8, 18)])
def test_numerical_gradient_agrees_number_by_number(sizes, seeds):
    for seed in range(seeds):
        case = problem(seed, sizes)
        assert parameters(numerical_gradient(*case)) == [
            near(row, 1e-7, 1e-8)
            for row in parameters(loss_and_gradient(*case)[1])]


# the bound that the docstring gives
def test_gradient_check_is_below_1e_8_where_the_gradient_is_right():
    assert [seed for seed in range(36)
            if not gradient_check(*problem(seed)) < 1e-8] == []


@each("settings, h", [({}, 1e-5), ({"nudge": 0.5}, 0.5)])
def test_numerical_gradient_nudges_both_ways_by_1e_5_or_as_told(settings, h):
    # w = 100: a nudge relative to the weight would be 1e-3
    seen = []
    found = numerical_gradient(node(100.0, f=lambda z: (
        seen.append(z) or z * z / 2, z)), ONE, squared_error, **settings)
    # C = w**4 / 8; ((w + h)**4 - (w - h)**4) / 16h is (w**3 + w * h**2) / 2;
    # the last digit of C is 2e-9, and 1e-5 divides it
    assert found[0][0][0][0] == near(500000 + 50 * h**2, 0, 1e-3)
    # 100 has two digits before the point, so that 14 are left
    assert [max(seen) - 100, 100 - min(seen)] == near([h] * 2, 0, 1e-12)


def test_numerical_gradient_never_touches_the_network():
    network, untouched = mazur(), []
    numerical_gradient(network, MAZUR, lambda outputs, targets: (
        untouched.append(network == mazur()) or 0.0, []))
    assert (untouched, network) == ([True] * 24, mazur())


# --- The start: random weights -----------------------------------------------

# The C++ standard, [rand.predef], gives the 10,000th value of a minstd_rand
# that starts from 1.  Here the seed -48271 starts from (1 + 0)**17.
@each("n, state", [(1, 48271), (10000, 399268537),
                   (200000, pow(48271, 200000, 2**31 - 1))])
def test_uniform_is_the_minstd_rand_of_cpp(n, state):
    numbers = itertools.islice(uniform(-48271), n - 1, None)
    assert next(numbers) == state / (2**31 - 1)


def test_uniform_starts_from_the_17th_power_of_any_whole_number():
    # the last seeds before all begins again, the first, and far ones
    for seed in [*range(-48274, -48269), 0, 10**30, -10**30]:
        start = pow(1 + (seed + 48271) % (2**31 - 2), 17, 2**31 - 1)
        assert next(uniform(seed)) == (
            start * 48271 % (2**31 - 1)) / (2**31 - 1), seed


@each("distance", [1, 2, 3, 8])
def test_neighbouring_seeds_are_unrelated(distance):
    long = [list(itertools.islice(uniform(n), 1000)) for n in range(-1, 12)]
    short = [list(itertools.islice(uniform(n), 3)) for n in range(1000)]
    for u, v in [*zip(long, long[distance:]), *[
            (column, column[distance:]) for column in zip(*short)]]:
        # the correlation of 1,000 independent pairs is within 5 / sqrt(1000);
        # the mean is 1 / 2, and the variance 1 / 12
        assert abs(sum([(x - 0.5) * (y - 0.5)
                        for x, y in zip(u, v)]) * 12 / len(v)) < 0.16


def test_init_network_gives_the_same_network_on_every_python():
    # computed in C++, to 17 digits: std::minstd_rand next(1176696361), which
    # is 48273**17 modulo 2**31 - 1, then for each weight
    # std::sqrt(3.0 / 2) * (2 * (next() / 2147483647.0) - 1)
    network = init_network([2, 2, 1], [tanh, sigmoid], uniform(1))
    assert network == [
        [[[0.50338453126886473, -0.063539529752306478],
          [-0.35548270904550472, -0.83020013940169446]], [0.0, 0.0], tanh],
        [[[-0.93873712640356166, -0.66907688031897505]], [0.0], sigmoid]]


def test_init_network_draws_each_weight_anew_for_a_list_of_its_own():
    network = init_network([50, 40, 3], [tanh] * 2, uniform(1))
    assert len(set(map(id, parameters(network)))) == 41 + 4
    assert len(set(flat(network))) == 50 * 40 + 40 * 3 + 1  # a bias is 0


# --- Training ----------------------------------------------------------------

def train_by_hand(network, samples, loss, rate, epochs=1, batch_size=1):
    """What train promises, from the functions above."""
    losses = []
    for _ in range(epochs):
        C_sum = 0.0
        for start in range(0, len(samples), batch_size):
            batch = samples[start:start + batch_size]
            C, gradient = loss_and_gradient(network, batch, loss)
            sgd_step(network, gradient, rate)
            C_sum += C * len(batch)
        losses.append(C_sum / len(samples))
    return losses


# the last batch is a whole one, a smaller one, all, and more than there are
@each("settings", [[], [3], [3, 7], [3, 40], [3, 60], [3, 70], [3, 99]])
def test_train_takes_a_step_for_each_batch_and_returns_the_mean_losses(
        settings):
    network, samples, loss = problem(0, [3, 4, 2], 70)
    twin, rows = copy.deepcopy(network), parameters(network)
    # a sum over 70 samples, perhaps in another order; rows: it is in place
    assert [train(network, samples, loss, 0.1, *settings), flat(rows)] == [
        near(train_by_hand(twin, samples, loss, 0.1, *settings), 1e-12),
        near(flat(twin), 1e-12)]


def test_training_in_parts_gives_the_same_as_in_one_go():
    (parts, samples, loss), (whole, _, _) = problem(0), problem(0)
    rng = uniform(1)
    losses = [train(parts, samples, loss, 0.1, 1, 2, rng)[0] for _ in range(4)]
    assert (train(whole, samples, loss, 0.1, 4, 2, uniform(1)), whole) == (
        losses, parts)


@each("rng, batch_size", [(lambda: None, 1), (lambda: None, 7),
                          (lambda: uniform(1), 1), (lambda: uniform(1), 70),
                          # as close as those of uniform can be
                          (lambda: (0.5 - n / 2**31
                                    for n in itertools.count()), 7)])
def test_train_visits_each_sample_once_an_epoch_in_the_order_of_random_keys(
        rng, batch_size):
    seen, expected, keys = [], [], rng() or itertools.count()
    samples = [([0.0], [i]) for i in range(60)]
    for _ in range(3):
        drawn = [next(keys) for _ in range(60)]
        expected += sorted(range(60), key=drawn.__getitem__)
    train(node(), samples, lambda outputs, targets: (
        seen.append(targets[0]) or 1.0, [0.0]), 0.1, 3, batch_size, rng())
    assert seen[-180:] == expected      # before that, the loss is only tried
    assert samples == [([0.0], [i]) for i in range(60)]


def counting(function, calls):
    return lambda *numbers: calls.append(numbers) or function(*numbers)


# three samples, two nodes: a pass over all of them calls f six times
@each("function, more, f_calls, loss_calls", [
    (mean_loss, [], 6, 3), (loss_and_gradient, [], 6, 3),
    # two parameters per node, each nudged both ways
    (numerical_gradient, [], 8 * 6, 8 * 3),
    # one pass for the check of the arguments, whatever comes then
    (gradient_check, [], 6 + 6 + 8 * 6, 3 + 3 + 8 * 3),
    (train, [0.1, 0], 6, 3), (train, [0.1, 5], 6 + 5 * 6, 3 + 5 * 3),
    (train, [0.1, 5, 2, uniform(1)], 6 + 5 * 6, 3 + 5 * 3),
    *[(lambda network, samples, loss, f=f: f(network, [1.0]), [], 2, 0)
      for f in [forward, predict, jacobian]]])
def test_each_sample_takes_one_pass_and_the_check_one_more(
        function, more, f_calls, loss_calls):
    seen_by_f, seen_by_loss = [], []
    function([[[[1.0], [2.0]], [0.0, 0.0], counting(tanh, seen_by_f)]],
             [([1.0], [0.0, 0.0])] * 3, counting(squared_error, seen_by_loss),
             *more)
    assert (len(seen_by_f), len(seen_by_loss)) == (f_calls, loss_calls)


# no other source; of the seeds 0 to 99, the others take too long here
@each("seed, rate, learned", [(28, 1.0, True), (29, 1.0, False),
                              (30, 1.0, True), (29, 0.5, True)])
def test_of_these_starts_only_29_fails_to_learn_xor(seed, rate, learned):
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(seed))
    train(network, XOR, squared_error, rate, 1000)
    assert ([round(predict(network, inputs)[0]) for inputs, targets in XOR]
            == [0, 1, 1, 0]) == learned


# --- Samples of other kinds --------------------------------------------------

class Single(float):
    """As float32 of NumPy: what it is multiplied by becomes one, too."""

    def __mul__(self, other):
        return Single(float(self) * other)

    __rmul__ = __mul__


ROWS, TARGETS = [[0.5, -1.0], [2.0, 0.25]], [[1.0], [0.0]]


@pytest.mark.parametrize("samples", [
    lambda: zip(ROWS, TARGETS),
    lambda: ((tuple(x), tuple(t)) for x, t in zip(ROWS, TARGETS)),
    lambda: [("0.5 -1".split(), ["1"]), (["2", " 0.25\n"], ["0"])],
    lambda: [(map(Single, x), [int(t[0])]) for x, t in zip(ROWS, TARGETS)],
    lambda: [[array.array("f", x), map(D, t)] for x, t in zip(ROWS, TARGETS)],
], ids=["zip", "tuples", "CSV", "float32 and whole numbers", "arrays"])
def test_samples_may_be_of_any_kind_that_float_takes(samples):
    def results(samples):
        network = problem(0, [2, 2, 1])[0]
        found = [gradient_check(network, samples(), squared_error), network,
                 train(network, samples(), squared_error, 0.1, 3)]
        return found, set(map(type, flat(found)))

    assert results(samples) == results(lambda: list(zip(ROWS, TARGETS)))


def test_a_loss_of_ones_own_gets_lists_of_floats():
    def own(outputs, targets):
        assert targets == [0, 1] and type(targets[0]) is float
        return squared_error(outputs, targets)

    case = [[[[1.0], [1.0]], [0.0, 0.0], linear]], [([1], (0, 1))], own
    assert train(*case, 0.1, 2)[1] < 0.5 and gradient_check(*case) < 1e-8


# --- Training that fails -----------------------------------------------------

class Stop(BaseException):
    """As KeyboardInterrupt, on which pytest would stop as well."""


def after(calls, what, loss=squared_error):
    """A loss that is as the other for so many calls, and then fails."""
    count = itertools.count(1)

    def failing(outputs, targets):
        if next(count) <= calls:
            return loss(outputs, targets)
        if isinstance(what, float):
            return what, [what] * len(outputs)
        raise what

    return failing


@each("network, samples, loss, rate, steps, epoch", [
    # a step takes w and b to -1e200, where the squared error overflows
    (node(1e100), ONE, lambda: squared_error, 1e100, 1, 2),
    *[(node(), ONE * 3, lambda calls=calls, what=what: after(3 + calls, what),
       0.1, calls, epoch) for calls, epoch, what in [
           (4, 2, math.inf), (4, 2, -math.inf), (1, 1, math.nan)]]])
def test_train_that_diverges_says_when_and_stops_before_the_step(
        network, samples, loss, rate, steps, epoch):
    network, twin = copy.deepcopy(network), copy.deepcopy(network)
    for _ in range(steps):
        train_by_hand(twin, samples[:1], squared_error, rate)
    with pytest.raises(ValueError) as error:
        train(network, samples, loss(), rate, 5)
    assert network == twin
    assert [words for words in ["diverged", "epoch %d" % epoch, "new weights",
                                "learning_rate", "inputs"]
            if words not in str(error.value)] == []


# OverflowError is no divergence: it comes from a function of the learner's.
# The first call that fails begins a batch, the second is in the midst of it.
@each("error", [OverflowError, RuntimeError, ValueError, Stop])
@each("calls", [7, 8])
def test_an_exception_passes_through_and_the_steps_taken_stay(error, calls):
    network, samples, loss = problem(0, count=5)
    twin, mine = copy.deepcopy(network), error("mine")
    for batch in [samples[:2], samples[2:4], samples[4:], samples[:2]]:
        sgd_step(twin, loss_and_gradient(twin, batch, loss)[1], 0.1)
    with pytest.raises(error) as caught:    # tried on 5; then in epoch 2
        train(network, samples, after(5 + calls, mine, loss), 0.1, 2, 2)
    assert (caught.value, network) == (mine, twin)


# --- What is refused: what the message says, and what was given --------------

LAYER = [[[0.1, 0.2]], [0.3], tanh]         # two inputs, one node
GOOD = ([0.0, 0.0], [0.0])
ROW = [0.4]


def layer(*rows):
    return [list(rows), [0.0] * len(rows), tanh]


def returns(pair):
    return lambda outputs, targets: pair


# " .. " stands for other words
CHECKED = [
    *[(message, network, [GOOD], squared_error) for message, network in [
        ("network[0] weights[1]: .. 2 .. 1", [layer([1, 2], [3])]),
        ("network[0] weights[40]: .. 2 .. 3",
         [layer(*[[1.0, 2.0] for _ in range(40)], [1, 2, 3])]),
        ("network[1] weights[0]: .. 1 .. 2", [LAYER, layer([1, 2])]),
        ("network[0] biases: .. 1 .. 2", [[[[1.0, 2.0]], [0.0] * 2, tanh]]),
        ("network[1] biases: .. 1 .. 0", [LAYER, [[[1.0]], [], tanh]]),
        # training changes them in place, and arrays would stay arrays
        ("network[0] weights[0]: .. (1, 2) .. .tolist()", [layer((1, 2))]),
        ("network[0] biases: .. array('f' .. .tolist()",
         [[[[1.0, 2.0]], array.array("f", [0]), tanh]]),
        # a step in one would be a step in both
        ("network: .. of its own", [LAYER, layer(ROW), layer(ROW)]),
        ("network: .. of its own", [LAYER, [[ROW], ROW, tanh]]),
        # tanh would hide it
        ("network: .. finite", [layer([1.0, math.inf])]),
        ("network: .. finite", [[[[1.0, 1.0]], [math.nan], relu]])]],
    *[(message, [LAYER], samples, squared_error) for message, samples in [
        ("samples[1] inputs: .. 2 .. 1", [GOOD, ([0], [0])]),
        ("samples[1] targets: .. 1 .. 2", [GOOD, ([0, 0], [0, 0])]),
        ("samples[0] targets: .. 1 .. 0", [([0, 0], [])]),
        ("could not convert string to float: .. x1", [(["x1"], "y")]),
        ("samples[1]: .. finite .. inf", [GOOD, ([0, 0], [-math.inf])]),
        # here, too
        ("samples[60]: .. finite .. inf",
         [GOOD] * 60 + [([math.inf, 0.0], [0])])]],
    *[(message, node(), ONE, returns(pair)) for message, pair in [
        ("samples[0] dC/da: .. 1 .. 2", (0.0, [0.0, 0.0])),
        ("samples[0] dC/da: .. list .. 1.5", (0.0, 1.5)),
        ("samples[0]: .. finite", (0.0, [math.nan])),
        ("samples[0]: .. finite .. nan", (math.nan, [0.0]))]],
    ("samples[0]: .. finite .. inf", node(1e200), ONE, squared_error),
    ("0 to 1 .. 2.0", node(), [*ONE, ([0], [2.0])], sigmoid_cross_entropy),
    ("sum to 1 .. 0.5", node(), [([0], [1.0]), ([0], [0.5])],
     softmax_cross_entropy),
    # they would be applied twice, or bend what should not
    *[("network[-1]: .. linear", node(f=f), [([0], [1.0])], loss)
      for loss in LOSSES[1:] for f in [sigmoid, relu]],
]

TRAIN = [LAYER], [GOOD], squared_error

REFUSED = [
    *[(message, train, [*case, 0.1, 1, 1, itertools.count()])
      for message, *case in CHECKED],
    *[("learning_rate .. " + repr(rate), train,
       [*TRAIN, rate, 1, 1, itertools.count()])
      for rate in [0, -0.1, math.inf, math.nan]],
    ("epochs .. -1", train, [*TRAIN, 0.1, -1]),
    ("batch_size .. 0", train, [*TRAIN, 0.1, 1, 0]),
    ("1 .. 2", squared_error, [[0.5], [0.5, 0.5]]),
    ("2 .. 1", squared_error, [[0.5, 0.5], [1.0]]),
    *[("%s .. %s" % (words, str(targets)[:9]), loss, [[0.1, 0.2], targets])
      for loss, words, targets in [
          (sigmoid_cross_entropy, "2 .. 0 to 1", [0.5]),
          (sigmoid_cross_entropy, "2 .. 0 to 1", [0.5] * 3),
          (sigmoid_cross_entropy, "0 to 1", [-1.0, 0.5]),
          (sigmoid_cross_entropy, "0 to 1", [0.5, -1e-9]),
          (sigmoid_cross_entropy, "0 to 1", [0.5, 1 + 1e-9]),
          (sigmoid_cross_entropy, "0 to 1", [0.5, math.nan]),
          (softmax_cross_entropy, "2 .. 0 to 1", [1.0]),
          (softmax_cross_entropy, "0 to 1", [1 + 5e-7, -5e-7]),
          (softmax_cross_entropy, "sum to 1", [1.0, 1.0]),
          (softmax_cross_entropy, "sum to 1", [0.5, 0.4999985]),
          (softmax_cross_entropy, "sum to 1", [0.5, 0.5000015])]],
    *[("functions: .. 1 .. %d" % n, init_network,
       [[2, 1], [tanh] * n, itertools.count()]) for n in [0, 2]],
]

LEFT_TO_PYTHON = [
    *[(train, [network, [GOOD], squared_error, 0.1]) for network in [
        [LAYER, *node(f=math.tanh)], [LAYER, *node(f=lambda z: z)],
        [LAYER, *node(f="tanh")], [LAYER[:2]], [[[], [], tanh]], [], None]],
    *[(train, [[LAYER], samples, squared_error, 0.1]) for samples in [
        [GOOD, ([0, 10**400], [0])], [GOOD, ([0, None], [0])], [GOOD, 7],
        [GOOD, ([0, 0], 0)], [GOOD, ([0, 0], [0], 1)], [], 7]],
    *[(train, [node(), ONE, returns(pair), 0.1]) for pair in [None, 0.5]],
    *[(train, [*TRAIN, *settings]) for settings in [
        ["0.1"], [0.1, 1.5], [0.1, 1, 2.0], [0.1, 1, 1, 5]]],
    *[(forward, [network, [1.0, 1.0]]) for network in [
        [layer([1.0])], [layer([1.0] * 3)], [LAYER, layer([1.0, 1.0])]]],
    *[(send_back, [[[2.0, 3.0], [5.0, 7.0]], [1.0] * n]) for n in [0, 1]],
    (numerical_gradient, [*TRAIN, 0]), (softmax, [[]]),
]


def refusal(function, arguments):
    with pytest.raises(Exception) as error:
        function(*arguments)
    return "%s: %s" % (error.type.__name__, error.value)


@each("message, function, arguments", REFUSED)
def test_a_call_is_refused(message, function, arguments):
    if message and not message.endswith("Error"):
        message = "ValueError: .. " + message
    parts = ".*".join(map(re.escape, message.split(" .. ")))
    assert re.match(parts, refusal(function, arguments), re.DOTALL)


def test_gradient_check_refuses_what_train_refuses():
    assert [message for message, *case in CHECKED if refusal(
        gradient_check, case) != refusal(train, [*case, 0.1])] == []


def test_nothing_has_moved_after_any_refusal_nor_been_drawn():
    for function, arguments in LEFT_TO_PYTHON + [row[1:] for row in REFUSED]:
        before = repr(arguments)
        refusal(function, arguments)
        assert repr(arguments) == before, function


# --- Seeded random junk at every argument ------------------------------------

JUNK = [None, 0, 1, -1, 2.5, -1e6, 1e60, math.nan, math.inf, -math.inf, 1j,
        "", "x", "0.5", b"ab", [], (), {}, [[]], [0], [0.5, 0.5], (1.0,),
        [[1.0], [2.0]], {0: 1.0, 1: 2.0}, range(2), tanh, math.tanh, softmax]
NET = [[[[0.5, -0.25], [1.0, 2.0]], [0.1, 0.2], tanh],
       [[[0.75, -0.5]], [0.3], linear]]
DATA = [([0.5, 1.0], [1.0]), ([0.25, -1.0], [0.0]), ([2.0, 0.0], [0.5])]
PASSES = forward(NET, [0.5, 1.0])


def first_of_uniform(seed):
    return list(itertools.islice(uniform(seed), 3))


def junk(rnd, good):
    """A copy in which one thing, however deep, is replaced by junk."""
    if isinstance(good, (list, tuple)) and good and rnd.random() < 0.75:
        parts, i = list(good), rnd.randrange(len(good))
        parts[i] = junk(rnd, parts[i])
        return type(good)(parts)
    return rnd.choice(JUNK)


def calls_with_junk(good, count, seed=0):
    rnd = random.Random(seed)
    for _ in range(count):
        arguments, i = copy.deepcopy(good), rnd.randrange(len(good))
        arguments[i] = junk(rnd, arguments[i])
        yield arguments


def test_junk_brings_an_exception_or_finite_numbers():
    case = [NET, DATA, squared_error]
    for seed, (function, good) in enumerate([
            *[(f, [0.5]) for f in ACTIVATIONS], (softmax, [[0.5, 1.0]]),
            *[(loss, [[0.5, 1.0], [0.25, 0.75]]) for loss in LOSSES],
            *[(f, [NET, [0.5, 1.0]]) for f in [forward, predict, jacobian]],
            (backward, [NET, *PASSES, [1.0]]), (parameters, [NET]),
            (send_back, [NET[0][0], [0.5, 1.0]]), (first_of_uniform, [7]),
            (mean_loss, case), (loss_and_gradient, case),
            *[(gradient_check, case)] * 4,
            (numerical_gradient, [*case, 0.1]),
            (init_network, [[2, 2, 1], [tanh] * 2, iter([0.25] * 9)])]):
        for arguments in calls_with_junk(good, 24, seed):
            try:
                result = function(*arguments)
            except Exception:
                continue
            # what isn't finite, or not when squared twice, may stay so; but
            # gradient_check would have refused it
            if function is gradient_check or all([
                    abs(x) < 1e60 for x in flat(arguments)]):
                assert all(map(math.isfinite, flat(result))), (
                    function, arguments)


def test_junk_makes_train_raise_after_whole_steps_or_finish():
    for arguments in calls_with_junk(
            [NET, DATA, squared_error, 0.1, 2, 2, iter([0.5] * 9)], 200):
        states, loss = [repr(arguments[0])], arguments[2]

        def watched(*numbers):
            states.append(repr(arguments[0]))
            return loss(*numbers)

        arguments[2] = watched
        try:
            losses = train(*arguments)
        except Exception:
            assert repr(arguments[0]) in states, arguments
        else:
            assert all(map(math.isfinite, losses)), arguments
            assert not any(map(math.isnan, flat(arguments[0]))), arguments


# --- The file and its examples -----------------------------------------------

with open(os.path.join(FOLDER, "backprop.py"), encoding="utf-8") as file:
    SOURCE = file.read()

LINES, TREE = SOURCE.splitlines(), ast.parse(SOURCE)
FUNCTIONS = {part.name: part for part in TREE.body
             if isinstance(part, ast.FunctionDef)}
SLIDES = [
    ("dot", [[1.0, 2.0], [3.0, 5.0]]), ("sigmoid", [-3.0]), ("tanh", [0.5]),
    ("squared_error", [[0.5, 2.0], [1.0, 0.0]]),
    ("forward", [mazur(), [0.05, 0.10]]),
    ("send_back", [[[2.0, 3.0], [5.0, 7.0]], [10.0, 100.0]]),
    ("backward", [NET, *PASSES, [3.0]]),
    ("loss_and_gradient", [mazur(), MAZUR * 2, squared_error]),
    ("sgd_step", [mazur(), mazur(), 0.5])]
with_comments = pytest.mark.skipif(     # a copy without them is tested, too
    "\n# --- " not in SOURCE, reason="a copy without comments")


def test_the_module_imports_math_alone_and_does_without_class_dict_and_try():
    kinds = [type(part).__name__ for part in ast.walk(TREE)]
    assert [alias.name for part in ast.walk(TREE) if isinstance(
        part, ast.Import) for alias in part.names] == ["math"]
    assert set(kinds) & {"ImportFrom", "ClassDef", "Dict", "DictComp",
                         "Try"} == set()


def test_the_module_takes_from_math_what_micropython_has():
    assert {part.attr for part in ast.walk(TREE)
            if isinstance(part, ast.Attribute)
            and getattr(part.value, "id", "") == "math"} <= {
                "exp", "log", "sqrt", "tanh", "isfinite", "inf", "sumprod"}


def test_the_module_is_ascii():
    assert SOURCE.isascii()


@with_comments
def test_the_module_fits_79_columns():
    assert [line for line in LINES if len(line) > 79] == []


@with_comments
def test_each_function_of_the_lesson_fits_a_slide():
    too_large = []
    for name, arguments in SLIDES:
        part, first = FUNCTIONS[name], FUNCTIONS[name].body[0]
        assert ast.get_docstring(part)      # which is left out
        lines = LINES[part.lineno - 1:first.lineno - 1] + LINES[
            first.end_lineno:part.end_lineno]
        too_large += [(name, line) for line in lines if len(line) > 64]
        too_large += [(name, line) for line in lines[20:]]
    assert too_large == []


def pasted(name):
    """The function from its own source and what it names, and nothing else."""
    texts, todo = [], [name]
    while todo:
        part = FUNCTIONS[todo.pop()]
        texts.append("\n".join(LINES[part.lineno - 1:part.end_lineno]))
        todo += [word.id for word in ast.walk(part)
                 if isinstance(word, ast.Name) and word.id in FUNCTIONS
                 and word.id != part.name]
    namespace = {"math": math}
    exec("\n\n".join(texts), namespace)
    return namespace[name]


@each("name, arguments", SLIDES)
def test_a_function_of_the_lesson_runs_when_it_is_pasted(name, arguments):
    one, two = copy.deepcopy(arguments), copy.deepcopy(arguments)
    results = pasted(name)(*one), getattr(backprop, name)(*two)
    # its dot may be the loop, and the module's math.sumprod
    assert flat([results[0], one]) == near(flat([results[1], two]))


def test_parameters_have_the_names_that_other_code_uses():
    for line in """linear z; sigmoid z; tanh z; relu z; leaky_relu z; swish z;
            squared_error outputs targets; softmax logits; uniform seed;
            sigmoid_cross_entropy logits targets; parameters network;
            softmax_cross_entropy logits targets;
            init_network sizes functions rng;
            forward network inputs; predict network inputs;
            jacobian network inputs; send_back weights deltas;
            backward network activations slopes dC_da;
            sgd_step network gradient learning_rate;
            loss_and_gradient network samples loss;
            mean_loss network samples loss; check network samples loss;
            numerical_gradient network samples loss nudge;
            gradient_check network samples loss;
            train network samples loss learning_rate epochs batch_size
            rng""".split(";"):
        name, *names = line.split()
        assert [*inspect.signature(getattr(backprop, name)).parameters
                ] == names


@pytest.mark.skipif(sys.flags.optimize >= 2, reason="-OO drops docstrings")
def test_the_examples_in_docstrings_are_true():
    failed, tried = doctest.testmod(backprop)
    assert failed == 0 and tried > 20


@with_comments
def test_the_examples_in_comments_are_true():
    text = "\n".join([line[4:] if line.startswith("#   ") else ""
                      for line in LINES])
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(
        text, dict(vars(backprop)), "comments", None, 0))
    failed, tried = runner.summarize(verbose=False)[:2]
    assert failed == 0 and tried > 8


# --- The demo ----------------------------------------------------------------

def run_demo(*flags, folder=FOLDER):
    done = subprocess.run(
        [sys.executable, *flags, os.path.join(FOLDER, "backprop.py")],
        cwd=str(folder), env=dict(os.environ, PYTHONIOENCODING="ascii"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.decode("ascii").replace("\r\n", "\n")


@pytest.fixture(scope="module")
def demo_output():
    return run_demo()


@each("flags", [["-I", "-W", "error"], ["-OO"]])
def test_demo_runs_clean_and_leaves_no_file_behind(
        flags, demo_output, tmp_path):
    assert (run_demo(*flags, folder=tmp_path), os.listdir(str(tmp_path))) == (
        demo_output, [])


# 80 by 24, and below the second screen stands the prompt
@each("screen, most", [(0, 24), (1, 23)])
def test_demo_fits_two_screens(screen, most, demo_output):
    first, second = demo_output.split("\n4. ")
    lines = [first, "4. " + second][screen].splitlines()
    assert len(lines) <= most and max(map(len, lines)) <= 79


@each("add", [sum, math.fsum])
def test_demo_does_not_hang_on_the_last_bits_of_a_sum(
        add, demo_output, monkeypatch, capsys):
    monkeypatch.setattr(backprop, "dot", lambda p, q: add(
        [a * b for a, b in zip(p, q)]))
    backprop.demo()
    assert capsys.readouterr().out == demo_output


def printed(text):
    """The numbers with a point in a text; -- draws a wire."""
    return " ".join(re.findall(r"(?<![\w.])-?\d+\.\d+",
                               text.replace("--", " ")))


# another function shows that no number is only text
@each("f", [sigmoid, tanh, leaky_relu])
def test_demo_follows_a_nudge_as_a_calculator_does(f, monkeypatch, capsys):
    monkeypatch.setattr(backprop, "sigmoid", f)
    backprop.demo_nudge()
    texts = printed(capsys.readouterr().out)
    (a, slope), a_new = f(0.0), f(0.005)[0]     # z = 8 / 2 - 4, and 8.01 / 2
    dC = ((a_new - 1)**2 - (a - 1)**2) / 2
    assert texts == rounded([
        0.5, 0.01, 0.005, a_new - a, dC, 0.5, (a_new - a) / 0.005,
        dC / (a_new - a), dC / 0.01, 0.5, slope, a - 1, 0.5 * slope * (a - 1)],
        texts)


OTHER = [[[[0.31, -0.82], [0.73, 1.14]], [0.12, -0.23], tanh],
         [[[-0.56, 0.97], [1.28, -0.44]], [-0.35, 0.46], sigmoid]]


# another network, too
@pytest.fixture(params=[(mazur(), *MAZUR[0]), (OTHER, [0.57, -1.12],
                                               [0.24, 0.73])],
                ids=["Mazur", "another network"])
def demo_case(request, monkeypatch):
    monkeypatch.setattr(backprop, "demo_problem",
                        lambda: copy.deepcopy(request.param))
    network, inputs, targets = copy.deepcopy(request.param)
    return network, [(inputs, targets)], squared_error


def test_demo_draws_both_passes_as_the_module_computes_them(demo_case, capsys):
    network, [((x1, x2), (t1, t2))], _ = demo_case
    ((((w1, w2), (w3, w4)), (b1, b2), _),
     (((w5, w6), (w7, w8)), (b3, b4), _)) = network
    (_, (h1, h2), (o1, o2)), ((s1, s2), (s3, s4)) = forward(network, [x1, x2])
    C, ((_, (d1, d2)), (_, (d3, d4))) = loss_and_gradient(*demo_case)
    backprop.demo_passes()
    texts = printed(capsys.readouterr().out)
    assert texts == rounded([
        x1, w1, h1, w5, o1, t1, o1 - t1, w3, w7, w2, w6, x2, w4, h2, w8, o2,
        t2, o2 - t2, w3, b1, b2, b3, b4, w1, x1, w2, x2, b1, h1, C,
        d1, w5, d3, o1 - t1, s3, w7, w6, d2, w8, d4, o2 - t2, s4,
        w5, d3, w7, d4, s1], texts)


def test_demo_lists_what_each_weight_answers_for(
        demo_case, monkeypatch, capsys):
    network, [(x, _)], _ = demo_case
    # so large a nudge shows that its numbers are no copies
    monkeypatch.setattr(backprop, "numerical_gradient",
                        lambda *case: numerical_gradient(*case, 0.5))
    h, old = forward(network, x)[0][1], flat(network)
    C, gradient = loss_and_gradient(*demo_case)
    nudged = flat(numerical_gradient(*demo_case, 0.5))
    (d1, d2), (d3, d4) = gradient[0][1], gradient[1][1]
    losses = []
    for _ in range(1001):
        losses.append(mean_loss(*demo_case))
        sgd_step(network, loss_and_gradient(*demo_case)[1], 0.5)
        new = flat(network) if len(losses) == 1 else new
    rows = list(zip([d1, d1, d2, d2, 0, 0, d3, d3, d4, d4], [*x, *x, 0, 0,
                                                             *h, *h],
                    flat(gradient), nudged, old, new))
    backprop.demo_weights()
    texts = printed(capsys.readouterr().out.replace(" 0.5 ", " "))   # the rate
    assert texts == rounded([
        *flat(rows[:4] + rows[6:]), old[4], d1, new[4],
        *[losses[steps] for steps in [0, 1, 100, 1000]]], texts)


# other targets and another seed show that no answer is only text
@each("targets, shift", [([0, 1, 1, 0], 0), ([0, 1, 0, 0], 0),
                         ([0, 1, 1, 0], 4)])
def test_demo_films_how_a_network_learns(targets, shift, monkeypatch, capsys):
    samples = [(x, [t]) for (x, _), t in zip(XOR, targets)]
    monkeypatch.setattr(backprop, "XOR", samples)
    monkeypatch.setattr(backprop, "uniform", lambda seed: uniform(
        seed + shift))
    backprop.demo_xor()
    out = capsys.readouterr().out
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1 + shift))
    pictures, losses, done = [], [], 0
    for epoch in map(int, re.findall(r"epoch (\d+)", out)):
        train(network, samples, squared_error, 1.0, epoch - done)
        done = epoch
        losses.append(mean_loss(network, samples, squared_error))
        pictures.append(["".join([
            " .+#@"[int(5 * predict(network, [x / 10, y / 5])[0])]
            for x in range(11)]) for y in [5, 4, 3, 2, 1, 0]])
    texts = printed(out)
    assert [re.findall(r"\|(.{11})\|", line) for line in out.splitlines()
            if "|" in line] == list(map(list, zip(*pictures)))
    assert (len(losses), texts) == (5, rounded(losses, texts))


# --- The README --------------------------------------------------------------
# Most of these numbers have no other source: the tests guard what is printed.

def read(*path):
    path = os.path.join(FOLDER, *path)
    if not os.path.exists(path):        # the module can be copied alone
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


def digits(n, numbers):
    """The numbers as text, with n digits behind the point."""
    return ["%.*f" % (n, number) for number in numbers]


def learns_xor(seed, rate, epochs, module):
    """Whether a 2-4-1 network learns it, by another module's functions."""
    network = init_network([2, 4, 1], [module["tanh"], module["sigmoid"]],
                           uniform(seed))
    for _ in range(epochs // 50):
        module["train"](network, XOR, module["squared_error"], rate, 50)
        # within 0.1 nobody would take a 0 for a 1
        if max(abs(predict(network, inputs)[0] - targets[0])
               for inputs, targets in XOR) < 0.1:
            return True
    return False


README = read("README.md")
WORDS = " ".join(README.split())
with_readme = pytest.mark.skipif(not README, reason="without a README")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)
ALGORITHM = ([code for code in BLOCKS if "def backward" in code] or [""])[0]
# no test runs PyTorch, because importing it takes longer than all the tests
RUNNABLE = [code for code in BLOCKS if "import torch" not in code and (
    "import numpy" not in code or importlib.util.find_spec("numpy"))]


def says(code):
    """What a block prints: the lines behind # at its end."""
    lines = re.search(r"((?:\n# .*)*)\n$", code).group(1)
    return lines.replace("\n# ", "\n")[1:] + "\n" if lines else ""


GRADIENT_ROWS = "".join(["%s\n" % ["%.6f" % d for d in row]
                         for row in loss_and_gradient(init_network(
                             [2, 4, 1], [tanh, sigmoid], uniform(1)), XOR,
                             squared_error)[1][0][0]])


@pytest.fixture
def beside_the_file(tmp_path, monkeypatch):
    """A folder with what the blocks need, as a reader has it."""
    tables = re.findall(r"```csv\n(.*?)```", README, re.S)
    (tmp_path / "iris.csv").write_text("".join(tables))
    (tmp_path / "student.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def run_as_a_file(code):
    exec(code, {"__name__": "__main__"})


def run_in_the_prompt(code):
    console = code_module.InteractiveConsole({"__name__": "__main__"})
    for line in [*code.splitlines(), ""]:
        console.push(line)


@with_readme
@each("run", [run_as_a_file, run_in_the_prompt])
@pytest.mark.parametrize("number", range(len(RUNNABLE)))
def test_readme_block_prints_what_it_says_when_it_runs_alone(
        number, run, capsys, beside_the_file):
    code = RUNNABLE[number]
    run(code)
    out, errors = capsys.readouterr()
    assert (out, errors) == (
        says(code) or ("import numpy" in code and GRADIENT_ROWS) or "", "")


@with_readme
def test_pytorch_prints_in_the_readme_the_gradient_of_the_module():
    [code] = [code for code in BLOCKS if "import torch" in code]
    assert says(code) == GRADIENT_ROWS


def functions_of(source):
    """The lines of each function, without its docstring and comments."""
    lines, functions = source.splitlines(), {}
    for part in ast.parse(source).body:
        if isinstance(part, ast.FunctionDef):
            first = part.body[0]
            start = first.lineno if ast.get_docstring(part) is None else (
                first.end_lineno + 1)
            functions[part.name] = [
                re.sub(" *#.*", "", line)
                for line in lines[part.lineno - 1:first.lineno - 1]
                + lines[start - 1:part.end_lineno]]
    return functions


@with_readme
@with_comments
def test_readme_shows_five_functions_as_they_stand_in_the_file():
    shown, file = functions_of(ALGORITHM), functions_of(SOURCE)
    assert shown == {name: file[name] for name in shown}
    assert "[five functions, %d lines]" % sum(
        map(len, shown.values())) in WORDS
    assert len(shown) == 5 and len(ALGORITHM.splitlines()) <= 65


@with_readme
def test_readme_algorithm_computes_what_the_module_computes(capsys):
    shown = {}
    exec(ALGORITHM, shown)
    network, [(inputs, targets), _], loss = problem(4, [3, 5, 4, 2])
    passes, dC_da = forward(network, inputs), [0.3, -0.7]
    assert flat(shown["forward"](network, inputs)) == near(flat(passes))
    assert flat(shown["backward"](network, *passes, dC_da)) == near(
        flat(backward(network, *passes, dC_da)))


@with_readme
def test_readme_shows_the_second_screen_of_the_demo(demo_output):
    [screen] = re.findall(r"```text\n(.*?)```", README, re.S)
    assert screen == demo_output[demo_output.index("4. "):]


@with_readme
def test_readme_links_lead_to_headings_and_files_that_exist():
    headings = re.findall(r"(?m)^#+ (.*)$", README)
    places = [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
              for heading in headings] + re.findall(r'id="(.*?)"', README)
    links = re.findall(r"\]\(([^)]*)\)", README)
    assert [link for link in links if link.startswith("#")
            and link[1:] not in places] == []
    files = [link for link in links if not link.startswith(("#", "http"))]
    assert [name for name in files + re.findall(
        r'src(?:set)?="(.*?)"', README) if not read(*name.split("/"))] == []


def texts(picture, stage):
    """The numbers of a stage of a picture, as they are written there."""
    [group] = re.findall(r'<g[^>]*class="%s"[^>]*>(.*?)</g>' % stage,
                         read(".github", picture), re.S)
    return re.findall(r">(?:[\w ]+ )?(-?\d+\.\d+)<", group)


@with_readme
@each("picture", ["network.svg", "network-dark.svg"])
def test_picture_shows_the_numbers_that_the_code_computes(picture):
    network, [(inputs, targets)], after = mazur(), MAZUR, mazur()
    C, gradient = loss_and_gradient(network, MAZUR, squared_error)
    sgd_step(after, gradient, 0.5)
    weights, weights_after = [flat([layer[0] for layer in each_network])
                              for each_network in (network, after)]
    biases, biases_after, deltas = [flat([layer[1] for layer in each_network])
                                    for each_network in (
                                        network, after, gradient)]
    expected = {
        "activations": digits(2, inputs) + digits(4, flat(
            forward(network, inputs)[0][1:])),
        "weights": digits(2, weights), "biases": digits(2, biases),
        "targets": digits(2, targets), "deltas": digits(4, deltas),
        "loss": digits(4, [C, mean_loss(after, MAZUR, squared_error)]),
        "weights-after": digits(4, weights_after),
        "biases-after": digits(4, biases_after)}
    assert {stage: texts(picture, stage) for stage in expected} == expected


# the mistakes of the table: a row's title, and what to change in the file
ONLY = "dC_da_j * (%s if layer == len(network) - 1 else %s)"
MISTAKES = [
    ("none", "import math", "import math"),
    ("slope forgotten at the outputs", "dC_da_j * slope_j",
     ONLY % ("1", "slope_j")),
    ("slope forgotten in the hidden layers", "dC_da_j * slope_j",
     ONLY % ("slope_j", "1")),
    ("slope taken at a, not at z", "a_j, slope_j = f(z_j)",
     "a_j, slope_j = f(z_j)[0], f(f(z_j)[0])[1]"),
    ("dC/da sent back instead of delta", "[layer][0], deltas)",
     "[layer][0], dC_da)"),
    ("row for column in (2) \u00b2", "in zip(*weights)]", "in weights]"),
    ("`=` for `+=` in (2) \u00b3", "dot(column, deltas)",
     "column[-1] * deltas[-1]"),
    ("target - output in the loss", "append(a - t)", "append(t - a)"),
    ("factor 2, or the half forgotten in C", "append(a - t)",
     "append(2 * (a - t))"),
    ("inputs instead of hidden activations in (3) \u00b2",
     "in activations[layer]]", "in activations[0]]"),
    ("off by one layer in (3) \u00b2",
     "in activations[layer]]", "in activations[layer + 1]]"),
    ("biases forgotten in (4)", "dC_db = deltas",
     "dC_db = [0.0 for delta in deltas]"),
    ("sum instead of mean over the samples \u2074", "[dC_da_j / n for",
     "[dC_da_j for"),
    ("step with the wrong sign", "row[i] -= learn", "row[i] += learn"),
]


@with_readme
@each("title, old, new", MISTAKES)
def test_readme_says_truly_what_becomes_of_a_mistake(title, old, new):
    wrong, checks, wrong_in = {"__name__": "wrong"}, [], set()
    assert SOURCE.count(old) == 1
    exec(SOURCE.replace(old, new), wrong)
    for seed in range(5):
        rng = uniform(seed)
        network = init_network([3, 3, 3, 3], [tanh, tanh, sigmoid], rng)
        samples = [[[next(rng) for _ in range(3)] for _ in range(2)]
                   for _ in range(4)]
        case = network, samples, wrong["squared_error"]
        checks.append(wrong["gradient_check"](*case))
        g, n = wrong["loss_and_gradient"](*case)[1], numerical_gradient(*case)
        weights, biases = [", ".join([str(layer) for layer in range(3) if flat(
            g[layer][part]) != near(flat(n[layer][part]), 0, 1e-6)])
            for part in (0, 1)]
        wrong_in.add(weights or "none" if weights == biases else (
            weights + " weights" if weights else biases + " biases"))
    low, high = digits(2, [min(checks), max(checks)])
    try:
        learned = sum(learns_xor(seed, 1.0, 200, wrong) for seed in range(5))
    except (IndexError, ValueError):    # the lengths don't fit
        learned = "-"
    [wrong_in] = wrong_in
    assert "| %s | %s | %s | %s |" % (
        title, "< 1e-8" if max(checks) < 1e-8 else
        low if low == high else low + " to " + high, wrong_in, learned
    ) in README.splitlines()


def mazurs_losses():
    """After one step that holds the biases; first with new weights in (2)."""
    losses = []
    for late in (True, False):
        network, [(inputs, targets)] = mazur(), MAZUR
        passes = forward(network, inputs)
        C, dC_da = squared_error(passes[0][-1], targets)
        gradient = backward(network, *passes, dC_da)
        sgd_step(network[1:], gradient[1:], 0.5)
        if late:
            gradient = backward(network, *passes, dC_da)
        sgd_step(network[:1], gradient[:1], 0.5)
        network[0][1][:], network[1][1][:] = [0.35] * 2, [0.60] * 2
        losses.append(mean_loss(network, MAZUR, squared_error))
    return tuple(losses)


def xor_network(seed=1):
    return init_network([2, 4, 1], [tanh, sigmoid], uniform(seed))


def answers(network, samples=XOR):
    return [predict(network, inputs)[0] for inputs, targets in samples]


def momentum():
    """How many steps take XOR to a loss below 0.01, without it and with it."""
    steps = []
    for factor in (0.0, 0.9):
        network, C = xor_network(), 1.0
        changes = [[0.0] * len(row) for row in parameters(network)]
        steps.append(-1)
        while C >= 0.01 and steps[-1] < 1000:
            C, gradient = loss_and_gradient(network, XOR, squared_error)
            for change, row in zip(changes, parameters(gradient)):
                row[:] = change[:] = [factor * c + d
                                      for c, d in zip(change, row)]
            sgd_step(network, gradient, 1.0)
            steps[-1] += 1
    return tuple(steps)


def one_pass_on_paper():
    network = [[[[0.5]], [0.0], sigmoid], [[[2.0]], [-1.0], sigmoid]]
    (x, [h], [o]), ([slope_h], [slope_o]) = passes = forward(network, [1.0])
    C, dC_da = squared_error([o], [0.0])
    gradient = backward(network, *passes, dC_da)
    numbers = [h, 2 * h - 1, o, C, slope_o, *gradient[1][1],
               *send_back([[2.0]], gradient[1][1]), slope_h,
               *gradient[0][1], *gradient[0][1], *gradient[1][0][0],
               *gradient[1][1]]
    sgd_step(network, gradient, 1.0)
    return (*numbers, *flat(network), mean_loss(
        network, [([1.0], [0.0])], squared_error))


def equal_weights():
    network = [[[[0.5, 0.5] for j in range(4)], [0.0] * 4, tanh],
               [[[0.5] * 4], [0.0], sigmoid]]
    train(network, XOR, squared_error, 1.0, epochs=1000)
    [answer] = set(digits(2, answers(network)[1:]))
    return float(answer)


def sigmoid_twice():
    return train(xor_network(), XOR, lambda logits, targets: (
        sigmoid_cross_entropy(logits, targets)), 1.0, epochs=400)[-1]


def stuck_network():
    network = xor_network(29)
    train(network, XOR, squared_error, 1.0, epochs=1000)
    return network


def stuck():
    [answer] = set(digits(2, answers(stuck_network())))
    return float(answer)


def lower_moves():
    """How many of 100 random moves from the stuck network find a lower C."""
    network, rng, lower = stuck_network(), uniform(5), 0
    C = mean_loss(network, XOR, squared_error)
    for _ in range(1000):
        moved = copy.deepcopy(network)
        for row in parameters(moved):
            row[:] = [w + 0.1 * (2 * next(rng) - 1) for w in row]
        lower += mean_loss(moved, XOR, squared_error) < C
    return lower / 10


def between_the_samples():
    networks = [xor_network(seed) for seed in range(5)]
    for network in networks:
        train(network, XOR, squared_error, 1.0, epochs=1000)
    return tuple(predict(network, [0.5, 0.5])[0] for network in networks)


def out_of_range():
    samples = [(inputs, [2 + 2 * t]) for inputs, [t] in XOR]
    network = xor_network()
    train(network, samples, squared_error, 1.0, epochs=1000)
    [answer] = set(digits(2, answers(network)))
    return float(answer)


def large_and_alike():
    samples = [([500 + x for x in inputs], t) for inputs, t in XOR]
    network = xor_network()
    train(network, samples, squared_error, 1.0, epochs=1000)
    [answer] = set(digits(2, answers(network, samples)))
    return float(answer)


@with_readme
@pytest.mark.parametrize("compute, text", [
    (mazurs_losses, "after one step, %.9f, comes from the new ones. The old "
     "ones give %.9f."),
    (sigmoid_twice, "which stays at %.2f for XOR (seed 1, 400"),
    (one_pass_on_paper,
     "z = 0.5 and a = %.4f, o has z = %.4f and a = %.4f. C = %.4f. Back: o's "
     "slope is %.4f and its delta %.4f; dC/da of h is %.4f, its slope %.4f "
     "and its delta %.4f. Gradient: %.4f for h's weight and bias, %.4f and "
     "%.4f for o's. After the step: %.4f and %.4f for h, %.4f and %.4f for o, "
     "and C = %.4f."),
    (momentum, "need %d epochs without it and %d with it"),
    (equal_weights, "three answers near %.2f. Why"),
    (stuck, "XOR sticks at %.2f for everything"),
    (lower_moves, "about %.0f times in 100 you find a lower C"),
    (between_the_samples, "answer %.2f, %.2f, %.2f, %.2f and %.2f."),
    (out_of_range, "all four outputs end at %.2f."),
    (large_and_alike, "every answer is the same, near %.1f."),
], ids=lambda value: getattr(value, "__name__", ""))
def test_readme_says_truly_what_a_reader_will_get(compute, text):
    assert text % compute() in WORDS
