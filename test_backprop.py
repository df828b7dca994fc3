"""What backprop.py promises.

An expected number is published, worked out on paper, or computed here in a
second way: from the definitions of all functions, in 60-digit decimals, with
derivatives as difference quotients.  That way knows no chain rule, so it can't
share a mistake with the module.  A few numbers have no other source, such as
the answers to the README's exercises.  Their tests say so: they only guard
that the code computes what is printed.

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
import functools
import importlib.util
import inspect
import itertools
import math
import operator
import os
import random
import re
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
D = decimal.Decimal
ONE, MAZUR = [([1.0], [0.0])], [([0.05, 0.10], [0.01, 0.99])]


def read(*path):
    path = os.path.join(FOLDER, *path)
    if not os.path.exists(path):        # the module can be copied alone
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()


SOURCE = read("backprop.py")


def run(source):
    """The names that a source defines."""
    names = {"__name__": "a copy"}
    exec(source, names)
    return names


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


def xor_network(seed=1, hidden=tanh, output=sigmoid):
    return init_network([2, 4, 1], [hidden, output], uniform(seed))


def mazur(f=sigmoid):
    """The 2-2-2 network of Matt Mazur's "Step by Step ... Example" (2015)."""
    return [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
            [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], f]]


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
# networks are filled, in that order, with cos 1, cos 2, ... or with sines:
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

@pytest.fixture(autouse=True)
def sixty_digits():
    """Decimals of 60 digits, whose exponents don't end as a float's do."""
    with decimal.localcontext(decimal.Context(
            prec=60, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)):
        yield


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

    Losses and functions take turns: after six seeds, they begin again.
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


# each function twice in each layer; then wide, many outputs, deep, far from 0
# (inputs up to 50), and a long batch
@each("seed, sizes, count, reach", [(seed, None, 2, 2) for seed in range(12)]
      + [(0, [35, 2], 2, 2), (3, [1, 33, 12], 2, 2), (1, [2, 12], 1, 2),
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
    # up to 35 products for each node, and up to 12 layers
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
        assert f(z) == (
            # below 2e-308, a float loses its digits one by one
            near(float(DEFINITIONS[f](x[0])), absolute=1e-300),
            # 1 - a * a loses digits where a is near 1
            near(slope, 1e-13, 1e-15)), z
    assert math.isnan(f(math.nan)[0])   # which mustn't be hidden


@each("loss", LOSSES)
def test_loss_and_softmax_follow_from_their_definitions(loss):
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
        assert softmax(outputs) == near(list(map(float, probabilities(a))))


# --- Numbers worked out on paper ---------------------------------------------

def scaled(factor):
    """The squared error, with derivatives that are wrong by a factor."""
    return lambda outputs, targets: (
        0.5 * outputs[0]**2, [factor * outputs[0]])


@each("function, arguments, expected", [
    (list, [XOR], [([a, b], [a ^ b]) for a in (0, 1) for b in (0, 1)]),
    (linear, [-1e300], (-1e300, 1.0)), (swish, [-1e300], (0.0, 0.0)),
    (relu, [-1e-300], (0.0, 0.0)), (relu, [1e-300], (1e-300, 1.0)),
    (relu, [1e300], (1e300, 1.0)), (leaky_relu, [1e-300], (1e-300, 1.0)),
    # at a kink, the slope is ours to choose
    (relu, [0.0], (0.0, 0.0)), (leaky_relu, [0.0], (0.0, 0.01)),
    (sigmoid_cross_entropy, [[1e300], [1.0]], (0.0, [0.0])),
    (sigmoid_cross_entropy, [[1e300], [0.0]], (1e300, [1.0])),
    (sigmoid_cross_entropy, [[-1e300], [1.0]], (1e300, [-1.0])),
    (softmax_cross_entropy, [[1e300, 0.0], [1.0, 0.0]], (0.0, [0.0, 0.0])),
    (softmax_cross_entropy, [[1e300, 0.0], [0.0, 1.0]], (1e300, [1.0, -1.0])),
    (softmax_cross_entropy, [[-1e308, 1e308], [0, 1]], (0.0, [0.0, 0.0])),
    # targets can miss 1 by rounding: thirds to seven digits, which C shows
    (softmax_cross_entropy, [[5.0] * 3, [0.3333333] * 3],
     (near(math.log(3), 1e-6), near([1 / 3 - 0.3333333] * 3))),
    # z = 1 - 4 + 0.5 = -2.5 and 3 + 2 - 1 = 4;  then 0 + 16 + 1 = 17
    (forward, [[[[[1.0, -2.0], [3.0, 1.0]], [0.5, -1.0], relu],
                [[[2.0, 4.0]], [1.0], leaky_relu]], [1.0, 2.0]],
     ([[1.0, 2.0], [0.0, 4.0], [17.0]], [[0.0, 1.0], [1.0]])),
    # node 0 sends by the weights 2 and 5, node 1 by 3 and 7
    (send_back, [[[2.0, 3.0], [5.0, 7.0]], [10.0, 100.0]], [520.0, 730.0]),
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
    # g and n are about 1e-6, and n is measured to 1e-16
    (gradient_check, [node(1e-6), ONE, scaled(2)], near(1 / 3, 0, 1e-9)),
    # of 120 weights, only the last counts; 1e-10 as before
    (gradient_check, [[[[[0.0] * 119 + [1.0]], [0.0], linear]],
                      [([0.0] * 119 + [1.0], [0.0])], scaled(2)],
     near(1 / 3, 0, 1e-10)),
    # +-sqrt(3 / 3), +-sqrt(3 / 12): from 0, 1/2, 1 to -limit, 0, limit
    (init_network, [[3, 2], [tanh], iter([0.25, 0.5, 0.75, 1.0, 0.0, 0.625])],
     [[[[-0.5, 0.0, 0.5], [1.0, -1.0, 0.25]], [0.0, 0.0], tanh]]),
    (init_network, [[12, 1], [relu], iter([0.25, 0.75] * 6)],
     [[[[-0.25, 0.25] * 6], [0.0], relu]]),
    (train, [node(), ONE, squared_error, 0.25, 0], []),
    (train, [node(), ONE, squared_error, 1e300], [0.5]),
    # b alone moves: a rate of 0.5 halves it, and C falls from 1/2 to 1/8, 1/32
    # ... until floats end, long before the last of so many epochs
    (train, [node(b=1.0), [([0.0], [0.0])], squared_error, 0.5, 6000],
     [math.ldexp(0.5, -2 * epoch) for epoch in range(6000)]),
    # one epoch and batches of one sample, unless told otherwise: w falls from
    # 1 to 1/2 and b from 0 to -1/2, so the second output is 0
    (train, [node(), ONE * 2, squared_error, 0.5], [0.25]),
])
def test_number_worked_out_on_paper(function, arguments, expected):
    assert function(*copy.deepcopy(arguments)) == expected


def test_dot_adds_up_products_and_is_sumprod_where_math_has_it(monkeypatch):
    monkeypatch.setattr(math, "sumprod", len, raising=False)    # or any other
    assert run(SOURCE)["dot"] is len
    monkeypatch.delattr(math, "sumprod")
    for dot in [backprop.dot, run(SOURCE)["dot"]]:
        assert dot(range(1, 100), range(1, 100)) == 99 * 100 * 199 / 6
        for p, q in [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0])]:
            with pytest.raises(ValueError):
                dot(p, q)


# --- What changes, and what does not -----------------------------------------

# the slopes of swish at the outputs, and dC/da, are other numbers than 1
@each("function, arguments", [
    (backward, [mazur(swish), *forward(mazur(swish), [3.0, -7.0]),
                [-3.0, 7.0]]),
    (parameters, [mazur()]), (send_back, [[[2.0, 3.0], [5.0, 7.0]], [1, 10]]),
    *[(function, [mazur(swish), [3.0, -7.0]])
      for function in [forward, predict, jacobian]],
    *[(function, [mazur(swish), MAZUR * 3, loss])
      for loss in [squared_error, lambda a, t, kept=[1.0, 2.0]: (1.0, kept)]
      for function in [mean_loss, loss_and_gradient, numerical_gradient,
                       gradient_check]]])
def test_a_call_changes_nothing_and_can_be_repeated(function, arguments):
    given = copy.deepcopy(arguments)
    once = copy.deepcopy(function(*given))
    twice = function(*given)
    assert once == twice and given == arguments


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
    assert sgd_step(network, gradient, 0.5) is None
    assert rows == [[1 - 1e9] * 70, [5.0] * 70, [3.0, 0.0]] * 20
    assert gradient == before


# each function begins six networks of random sizes, and three of seven layers;
# two networks are wide
@each("sizes, seeds", [(None, 36), ([35, 2, 33, 2], 2), ([3] * 8, 18)])
def test_both_ways_to_the_gradient_agree(sizes, seeds):
    for seed in range(seeds):
        network, samples, loss = case = problem(seed, sizes)
        # no z lies within 100 nudges of a kink, where the slope jumps
        assert [z for layer, (weights, biases, f) in enumerate(network)
                if f in (relu, leaky_relu) for inputs, targets in samples
                for z in predict([*network[:layer], [weights, biases, linear]],
                                 inputs) if abs(z) < 1e-3] == [], seed
        # a difference misses by about nudge**2 = 1e-10, and by 1e-16 / nudge
        assert parameters(numerical_gradient(*case)) == [
            near(row, 0, 1e-9)
            for row in parameters(loss_and_gradient(*case)[1])], seed
        assert gradient_check(*case) < 1e-8, seed   # as its docstring says


@each("settings, h", [({}, 1e-5), ({"nudge": 0.5}, 0.5)])
def test_numerical_gradient_nudges_a_copy_by_1e_5_or_as_told(settings, h):
    seen = []

    def half_a_square(z):
        assert network == node(100.0, f=half_a_square)
        seen.append(z)
        return z * z / 2, z

    # w = 100: a nudge relative to the weight would be 1e-3
    network = node(100.0, f=half_a_square)
    found = numerical_gradient(network, ONE, squared_error, **settings)
    # C = w**4 / 8; ((w + h)**4 - (w - h)**4) / 16h is (w**3 + w * h**2) / 2;
    # the last digit of C is 2e-9, and 1e-5 divides it
    assert found[0][0][0][0] == near(500000 + 50 * h**2, 0, 1e-3)
    # 100 has two digits before the point, so that 14 are left
    assert [max(seen) - 100, 100 - min(seen)] == near([h] * 2, 0, 1e-12)


# --- The start: random weights -----------------------------------------------

# The last seeds before all begins again, the first, and far ones
@each("seed, n", [*[(seed, 1) for seed in [
    -48274, -48273, -48272, -48271, -48270, 0, 10**30, -10**30]],
    (-48271, 10000), (1, 200000)])
def test_uniform_is_the_minstd_rand_of_cpp_from_a_17th_power(seed, n):
    # the C++ standard, [rand.predef], gives the 10,000th state after a 1
    multiplier, modulus = 48271, 2**31 - 1
    assert pow(multiplier, 10000, modulus) == 399268537
    state = (1 + (seed + 48271) % (modulus - 1))**17 * pow(
        multiplier, n, modulus) % modulus
    assert next(itertools.islice(uniform(seed), n - 1, None)) == (
        state / modulus)


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
    # rows of weights, and the biases of two layers; weights, and 0 for a bias
    assert len(set(map(id, parameters(network)))) == 40 + 3 + 2
    assert len(set(flat(network))) == 50 * 40 + 40 * 3 + 1


# --- Training ----------------------------------------------------------------

def train_by_hand(network, samples, loss, rate, epochs=1, batch_size=1,
                  rng=None):
    """What train promises, from the functions above."""
    losses, order = [], samples
    for _ in range(epochs):
        if rng:
            order = sorted(samples, key=lambda sample: next(rng))
        C_sum = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start:start + batch_size]
            C, gradient = loss_and_gradient(network, batch, loss)
            sgd_step(network, gradient, rate)
            C_sum += C * len(batch)
        losses.append(C_sum / len(samples))
    return losses


# the last batch is a whole one, a smaller one, all, and more than there are
@each("settings, rng", [
    *[(settings, lambda: None) for settings in [
        [], [3], [3, 7], [3, 40], [3, 60], [3, 70], [3, 99]]],
    ([3], lambda: uniform(1)), ([3, 40], lambda: uniform(1)),
    # as close as those of uniform can be
    ([3, 7], lambda: (0.5 - n / 2**31 for n in itertools.count()))])
def test_train_steps_once_a_batch_and_returns_the_mean_losses(settings, rng):
    network, samples, loss = problem(0, [3, 4, 2], 70)
    twin, rows, given = copy.deepcopy(network), parameters(network), [*samples]
    losses = train(network, samples, loss, 0.1, *settings, rng=rng())
    # a sum over 70 samples, perhaps in another order
    assert losses == near(train_by_hand(
        twin, samples, loss, 0.1, *settings, rng=rng()), 1e-12)
    # the same lists have changed, and not those of the caller's samples
    assert flat(rows) == near(flat(twin), 1e-12)
    assert samples == given


def test_training_in_parts_gives_the_same_as_in_one_go():
    (parts, samples, loss), (whole, _, _) = problem(0), problem(0)
    rng = uniform(1)
    losses = [train(parts, samples, loss, 0.1, 1, 2, rng)[0] for _ in range(4)]
    assert train(whole, samples, loss, 0.1, 4, 2, uniform(1)) == losses
    assert whole == parts


def counting(function, calls):
    """The function, which also notes what it is called with."""
    def counted(*arguments):
        calls.append(arguments)
        return function(*arguments)

    return counted


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
def test_seed_29_fails_at_rate_1_but_learns_at_one_half(seed, rate, learned):
    network = xor_network(seed)
    train(network, XOR, squared_error, rate, 1000)
    assert ([round(predict(network, inputs)[0]) for inputs, targets in XOR]
            == [0, 1, 1, 0]) == learned


# --- Samples of other kinds --------------------------------------------------

ROWS, TARGETS = [[0.5, -1.0], [2.0, 0.25]], [[1.0], [0.0]]


@pytest.mark.parametrize("samples", [
    lambda: zip(ROWS, TARGETS),
    lambda: ((tuple(x), tuple(t)) for x, t in zip(ROWS, TARGETS)),
    lambda: [("0.5 -1".split(), ["1"]), (["2", " 0.25\n"], ["0"])],
    lambda: [(map(D, x), [int(t[0])]) for x, t in zip(ROWS, TARGETS)],
    lambda: [[array.array("f", x), map(D, t)] for x, t in zip(ROWS, TARGETS)],
], ids=["zip", "tuples", "CSV", "decimals and whole numbers", "arrays"])
def test_samples_can_be_of_any_kind_that_float_takes(samples):
    def own(outputs, targets):          # a loss gets lists of floats
        assert type(targets) is list and {*map(type, targets)} == {float}
        return squared_error(outputs, targets)

    def results(samples):
        network = problem(0, [2, 2, 1])[0]
        found = [gradient_check(network, samples(), own), network,
                 train(network, samples(), own, 0.1, 3)]
        return found, set(map(type, flat(found)))

    assert results(samples) == results(lambda: list(zip(ROWS, TARGETS)))


# --- Training that fails -----------------------------------------------------

class Stop(BaseException):
    """As KeyboardInterrupt, on which pytest would stop as well."""


def failing(good_calls, what, loss=squared_error):
    """A loss that is as the other for so many calls, and then fails."""
    count = itertools.count(1)

    def fails(outputs, targets):
        if next(count) <= good_calls:
            return loss(outputs, targets)
        if isinstance(what, float):
            return what, [what] * len(outputs)
        raise what

    return fails


# of three samples: as many steps as good calls, and the epoch of the next one
@each("good_calls, what, epoch", [(1, math.nan, 1), (4, math.inf, 2),
                                  (4, -math.inf, 2), (6, math.nan, 3)])
def test_train_that_diverges_says_when_and_stops_before_the_step(
        good_calls, what, epoch):
    network, twin = node(), node()
    train_by_hand(twin, ONE * good_calls, squared_error, 0.1)
    loss = failing(3 + good_calls, what)        # the check comes first
    with pytest.raises(ValueError) as error:
        train(network, ONE * 3, loss, 0.1, 5)
    assert network == twin
    assert re.search("diverged .* epoch %d: .* new weights .* learning_rate"
                     ".* inputs" % epoch, str(error.value))


# OverflowError is no divergence: it comes from a function of the learner's.
# Call 8 after the check begins a batch of two, call 9 is in the midst of it.
@each("error", [OverflowError, RuntimeError, ValueError, Stop])
@each("good_calls", [7, 8])
def test_an_exception_passes_through_and_steps_taken_stay(error, good_calls):
    network, samples, loss = problem(0, count=5)
    twin, mine = copy.deepcopy(network), error("mine")
    for batch in [samples[:2], samples[2:4], samples[4:], samples[:2]]:
        sgd_step(twin, loss_and_gradient(twin, batch, loss)[1], 0.1)
    with pytest.raises(error) as caught:    # tried on 5; then in epoch 2
        train(network, samples, failing(5 + good_calls, mine, loss), 0.1, 2, 2)
    assert caught.value is mine and network == twin


# --- What is refused: what the message says, and what was given --------------

LAYER = [[[0.1, 0.2]], [0.3], tanh]         # two inputs, one node
GOOD, ROW = ([0.0, 0.0], [0.0]), [0.4]


def nodes(*rows):
    """A layer with these rows of weights."""
    return [list(rows), [0.0] * len(rows), tanh]


# ".." stands for other words
CHECKED = [
    *[(message, network, [GOOD], squared_error) for message, network in [
        ("network[0] weights[1]: .. 2, .. 1", [nodes([1, 2], [3])]),
        ("network[0] weights[40]: .. 2, .. 3",
         [nodes(*[[1.0, 2.0] for _ in range(40)], [1, 2, 3])]),
        ("network[1] weights[0]: .. 1, .. 2", [LAYER, nodes([1, 2])]),
        ("network[0] biases: .. 1, .. 2", [[[[1.0, 2.0]], [0.0] * 2, tanh]]),
        ("network[1] biases: .. 1, .. 0", [LAYER, [[[1.0]], [], tanh]]),
        # training changes them in place, and arrays would stay arrays
        ("network[0] weights[0]: .. (1, 2) .. .tolist()..", [nodes((1, 2))]),
        ("network[0] biases: .. array('f'.. .tolist()..",
         [[[[1.0, 2.0]], array.array("f", [0]), tanh]]),
        # a step in one would be a step in both
        ("network: .. of its own ..", [LAYER, nodes(ROW), nodes(ROW)]),
        ("network: .. of its own ..", [LAYER, [[ROW], ROW, tanh]]),
        # tanh would hide it
        ("network: .. finite ..", [nodes([1.0, math.inf])]),
        ("network: .. finite ..", [[[[1.0, 1.0]], [math.nan], relu]])]],
    *[(message, [LAYER], samples, squared_error) for message, samples in [
        ("samples[1] inputs: .. 2, .. 1", [GOOD, ([0], [0])]),
        ("samples[1] targets: .. 1, .. 2", [GOOD, ([0, 0], [0, 0])]),
        ("could not convert string to float: ..x1..", [(["x1"], "y")]),
        ("samples[1]: .. finite .. inf for [0.0, 0.0]",
         [GOOD, ([0, 0], [-math.inf])]),
        # here, too
        ("samples[60]: .. finite .. for [inf, 0.0]",
         [GOOD] * 60 + [([math.inf, 0.0], [0])])]],
    *[(message, node(), ONE, lambda outputs, targets, pair=pair: pair)
      for message, pair in [
          ("samples[0] dC/da: .. 1, .. 2", (0.0, [0.0, 0.0])),
          ("samples[0] dC/da: .. list, .. 1.5 ..", (0.0, 1.5)),
          ("samples[0]: .. finite .. 0.0 for [1.0]", (0.0, [math.nan])),
          ("samples[0]: .. finite .. nan for [1.0]", (math.nan, [0.0]))]],
    ("samples[0]: .. finite .. for [1.0]", node(1e200), ONE, squared_error),
    (".. to 1, .. [2.0]", node(), [*ONE, ([0], [2])], sigmoid_cross_entropy),
    # they would be applied twice, or bend what should not
    *[("network[-1]: .. linear, ..", node(f=f), [([0], [1.0])], loss)
      for loss in LOSSES[1:] for f in [sigmoid, relu]],
]

TRAIN = [LAYER], [GOOD], squared_error

REFUSED = [
    *[(message, gradient_check, case) for message, *case in CHECKED],
    *[(message, train, [*case, 0.1, 1, 1, itertools.count()])
      for message, *case in CHECKED],
    *[(".. learning_rate .. got %r, 1 and 1" % rate, train,
       [*TRAIN, rate, 1, 1, itertools.count()])
      for rate in [0, -0.1, math.inf, math.nan]],
    (".. epochs .. got 0.1, -1 and 1", train, [*TRAIN, 0.1, -1]),
    (".. batch_size .. got 0.1, 1 and 0", train, [*TRAIN, 0.1, 1, 0]),
    (".. 1 targets, .. 2", squared_error, [[0.5], [0.5, 0.5]]),
    (".. 2 targets, .. 1", squared_error, [[0.5, 0.5], [1.0]]),
    *[(".. 2 targets from 0 to 1, .. %r" % targets, sigmoid_cross_entropy,
       [[0.1, 0.2], targets]) for targets in [
           [0.5], [0.5] * 3, [0.5, -1e-9], [0.5, 1 + 1e-9], [0.5, math.nan]]],
    *[(".. %s, .. %r" % (words, targets), softmax_cross_entropy,
       [[0.1, 0.2], targets]) for words, targets in [
           ("2 targets from 0 to 1", [1.0]), ("0 to 1", [1 + 5e-7, -5e-7]),
           ("sum to 1", [0.5, 0.4999985]), ("sum to 1", [0.5, 0.5000015])]],
    *[("functions: .. 1, .. %d" % n, init_network,
       [[2, 1], [tanh] * n, itertools.count()]) for n in [0, 2]],
    # the others are left to Python
    *[("..", train, [network, [GOOD], squared_error, 0.1]) for network in [
        [LAYER, *node(f=math.tanh)], [LAYER, *node(f=lambda z: z)],
        [LAYER, *node(f="tanh")], [LAYER[:2]], [[[], [], tanh]], [], None]],
    *[("..", train, [[LAYER], samples, squared_error, 0.1]) for samples in [
        [GOOD, ([0, 10**400], [0])], [GOOD, ([0, None], [0])], [GOOD, 7],
        [GOOD, ([0, 0], 0)], [GOOD, ([0, 0], [0], 1)], [], 7]],
    ("..", train, [node(), ONE, lambda outputs, targets: None, 0.1]),
    *[("..", train, [*TRAIN, *settings]) for settings in [
        ["0.1"], [0.1, 1.5], [0.1, 1, 2.0], [0.1, 1, 1, 5]]],
    *[("..", forward, [network, [1.0, 1.0]]) for network in [
        [nodes([1.0])], [nodes([1.0] * 3)], [LAYER, nodes([1.0, 1.0])]]],
    *[("..", send_back, [[[2.0], [5.0]], [1.0] * n]) for n in [0, 1, 3]],
    ("..", numerical_gradient, [*TRAIN, 0]), ("..", softmax, [[]]),
]


@each("message, function, arguments", REFUSED)
def test_a_call_is_refused_before_anything_moves(message, function, arguments):
    before = repr(arguments)
    with pytest.raises(Exception if message == ".." else ValueError) as error:
        function(*arguments)
    assert re.fullmatch(re.escape(message).replace(r"\.\.", ".*"),
                        str(error.value), re.DOTALL)
    assert repr(arguments) == before


# --- Seeded random junk at every argument ------------------------------------

JUNK = [None, 0, 1, -1, 2, 0.5, 2.5, 1e-9, -1e6, 1e60, math.nan, math.inf,
        -math.inf, 1j, "", "x", "0.5", b"ab", [], (), {}, [[]], [0],
        [0.5, 0.5], (1.0,), [[1.0], [2.0]], {0: 1.0, 1: 2.0}, range(2), tanh,
        math.tanh, softmax]
NET = [[[[0.5, -0.25], [1.0, 2.0]], [0.1, 0.2], tanh],
       [[[0.75, -0.5]], [0.3], linear]]
CASE = [NET, [([0.5, 1.0], [1.0]), ([0.25, -1.0], [0.0]), ([2.0, 0.0], [0.5])],
        squared_error]


def junk(rnd, good, stop=0.1):
    """A copy in which one thing, however deep, is replaced by junk."""
    if isinstance(good, (list, tuple)) and good and rnd.random() >= stop:
        parts, i = list(good), rnd.randrange(len(good))
        parts[i] = junk(rnd, parts[i])
        return type(good)(parts)
    return rnd.choice(JUNK)


def test_junk_brings_an_exception_or_finite_numbers():
    rnd, finished, raised = random.Random(0), 0, 0
    for function, good in [
            *[(f, [0.5]) for f in ACTIVATIONS], (softmax, [[0.5, 1.0]]),
            *[(loss, [[0.5, 1.0], [0.25, 0.75]]) for loss in LOSSES],
            *[(f, [NET, [0.5, 1.0]]) for f in [forward, predict, jacobian]],
            (backward, [NET, *forward(NET, [0.5, 1.0]), [1.0]]),
            (parameters, [NET]), (send_back, [NET[0][0], [0.5, 1.0]]),
            (mean_loss, CASE), (loss_and_gradient, CASE),
            (numerical_gradient, [*CASE, 0.1]), *[(gradient_check, CASE)] * 4,
            (init_network, [[2, 2, 1], [tanh] * 2, iter([0.25] * 9)])]:
        for _ in range(24):
            arguments = junk(rnd, copy.deepcopy(good), 0)
            try:
                result = function(*arguments)
            except Exception:
                raised += 1
                continue
            finished += 1
            # what isn't finite, or not when squared twice, can stay so; but
            # gradient_check would have refused it
            if function is gradient_check or all([
                    abs(x) < 1e60 for x in flat(arguments)]):
                assert all(map(math.isfinite, flat(result))), (
                    function, arguments)
    # of 576 calls, 173 and 403 on CPython 3.11
    assert finished > 150 and raised > 350


def test_junk_makes_train_raise_after_whole_steps_or_finish():
    rnd, finished, raised = random.Random(1), 0, 0
    for _ in range(400):
        good = copy.deepcopy([*CASE, 0.1, 2, 2, iter([0.5] * 9)])
        arguments = junk(rnd, good, 0)
        states, loss = [repr(arguments[0])], arguments[2]

        def watched(*numbers):
            states.append(repr(arguments[0]))
            return loss(*numbers)

        arguments[2] = watched
        try:
            losses = train(*arguments)
        except Exception:
            raised += 1
            assert repr(arguments[0]) in states, arguments
        else:
            finished += 1
            assert all(map(math.isfinite, losses)), arguments
            assert not any(map(math.isnan, flat(arguments[0]))), arguments
    # of 400 calls, 37 and 363 on CPython 3.11
    assert finished > 25 and raised > 300


# --- The file and its examples -----------------------------------------------

with_comments = pytest.mark.skipif("\n# " not in SOURCE, reason="no comments")


def functions_of(source):
    """The lines of each function, without its docstring."""
    lines, functions = source.splitlines(), {}
    for part in ast.parse(source).body:
        if isinstance(part, ast.FunctionDef):
            first = part.body[0]
            start = (first.end_lineno if ast.get_docstring(part)
                     else first.lineno - 1)
            functions[part.name] = (lines[part.lineno - 1:first.lineno - 1]
                                    + lines[start:part.end_lineno])
    return functions


FUNCTIONS = functions_of(SOURCE)
SLIDES = ["dot", "sigmoid", "tanh", "squared_error", "forward", "send_back",
          "backward", "loss_and_gradient", "sgd_step"]


def test_the_module_takes_only_from_math_what_micropython_has():
    parts = list(ast.walk(ast.parse(SOURCE)))
    assert [alias.name for part in parts if isinstance(part, ast.Import)
            for alias in part.names] == ["math"]
    assert {part.attr for part in parts if isinstance(part, ast.Attribute)
            and getattr(part.value, "id", "") == "math"} <= {
                "exp", "log", "sqrt", "tanh", "isfinite", "inf", "sumprod"}
    assert {type(part).__name__ for part in parts} & {
        "ImportFrom", "ClassDef", "Dict", "DictComp", "Try"} == set()


@with_comments
def test_the_module_is_ascii_in_79_columns_and_its_lesson_fits_slides():
    assert SOURCE.isascii()
    assert [line for line in SOURCE.splitlines() if len(line) > 79] == []
    # a slide shows 20 lines of 64 characters in letters that can be read
    assert [name for name in SLIDES if len(FUNCTIONS[name]) > 20
            or max(map(len, FUNCTIONS[name])) > 64] == []


def test_functions_of_the_lesson_run_when_pasted_with_what_they_name():
    names, text, pasted = list(SLIDES), "", {"math": math}
    for name in names:                  # which grows meanwhile
        text += "\n".join([*FUNCTIONS[name], ""])
        names += [word for word in FUNCTIONS if word not in names
                  and re.search(r"\b%s\b" % word, text)]
    exec(text, pasted)
    results = []
    for module in (pasted, vars(backprop)):
        network = [[*entry[:2], module[f]] for entry, f in zip(
            mazur(), ["tanh", "sigmoid"])]
        C, gradient = module["loss_and_gradient"](
            network, MAZUR * 2, module["squared_error"])
        module["sgd_step"](network, gradient, 0.5)
        results.append(flat([C, network]))
    # dot is the loop here, and there perhaps math.sumprod
    assert results[0] == near(results[1])


def test_parameters_have_the_names_that_other_code_uses():
    for line in """outputs targets: squared_error; network inputs: forward
            predict jacobian; network activations slopes dC_da: backward;
            logits targets: sigmoid_cross_entropy softmax_cross_entropy;
            weights deltas: send_back; sizes functions rng: init_network;
            network gradient learning_rate: sgd_step;
            network samples loss: check gradient_check loss_and_gradient
            mean_loss; network samples loss nudge: numerical_gradient;
            network samples loss learning_rate epochs batch_size rng: train
            """.split(";"):
        names, functions = map(str.split, line.split(":"))
        for name in functions:
            assert names == [*inspect.signature(
                getattr(backprop, name)).parameters], name


# 31 and 16 examples are there; doctest says yes to none at all
@pytest.mark.skipif(sys.flags.optimize >= 2, reason="-OO drops docstrings")
def test_the_examples_in_docstrings_are_true():
    failed, tried = doctest.testmod(backprop)
    assert failed == 0 and tried > 20


@with_comments
def test_the_examples_in_comments_are_true():
    text = "\n".join([line[4:] if line.startswith("#   ") else ""
                      for line in SOURCE.splitlines()])
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(
        text, dict(vars(backprop)), "comments", None, 0))
    failed, tried = runner.summarize(verbose=False)[:2]
    assert failed == 0 and tried > 8


# --- The demo ----------------------------------------------------------------

def run_demo(*flags, folder=FOLDER):
    done = subprocess.run(
        [sys.executable, *flags, os.path.join(FOLDER, "backprop.py")],
        env=dict(os.environ, PYTHONIOENCODING="ascii"), cwd=str(folder),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="ascii",
        timeout=60)                     # seconds, of which it needs one
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def demo_screens():
    output = run_demo()
    second = output.index("\n4. ") + 1
    return output[:second], output[second:]


@each("flags", [["-I", "-W", "error"], ["-OO"]])
def test_demo_runs_clean_and_leaves_no_file(flags, demo_screens, tmp_path):
    assert run_demo(*flags, folder=tmp_path) == "".join(demo_screens)
    assert os.listdir(str(tmp_path)) == []


def test_demo_fits_two_screens(demo_screens):
    first, second = [screen.splitlines() for screen in demo_screens]
    # 80 by 24; an empty line ends the first, and the prompt the second
    assert len(first) <= 25 and len(second) <= 23
    assert max(map(len, first + second)) <= 79


# one rounds at each addition, as sum does before Python 3.12; one, at the end
@each("add", [functools.partial(functools.reduce, operator.add), math.fsum])
def test_demo_does_not_hang_on_the_last_bits_of_a_sum(
        add, demo_screens, monkeypatch, capsys):
    monkeypatch.setattr(backprop, "dot", lambda p, q: add(
        [a * b for a, b in zip(p, q)]))
    backprop.demo()
    assert capsys.readouterr().out == "".join(demo_screens)


def printed(text):
    """The numbers with a point in a text; -- draws a wire."""
    return " ".join(re.findall(r"(?<![\w.])-?\d+\.\d+",
                               text.replace("--", " ")))


# another function shows that no number is only text
@each("f", [sigmoid, tanh, leaky_relu])
def test_demo_follows_a_nudge_as_a_calculator_does(f, monkeypatch, capsys):
    monkeypatch.setattr(backprop, "sigmoid", f)
    backprop.demo_nudge()
    numbers = printed(capsys.readouterr().out)
    (a, slope), a_new = f(0.0), f(0.005)[0]     # z = 8 / 2 - 4, and 8.01 / 2
    da, dC = a_new - a, ((a_new - 1)**2 - (a - 1)**2) / 2
    assert numbers == rounded([
        0.5,                                            # One node: z = w * 0.5
        0.01, 0.005, da, dC,                            # moves
        0.5, da / 0.005, dC / da, dC / 0.01,            # measured
        0.5, slope, a - 1, 0.5 * slope * (a - 1)],      # calculus
        numbers)


OTHER = [[[[0.3146, -0.82], [0.73, 1.1449]], [0.12, -0.23], tanh],
         [[[-0.56, 0.9746], [1.28, -0.44]], [-0.35, 0.46], sigmoid]
         ], [0.57, -1.12], [0.24, 0.73]


@pytest.fixture(params=[(mazur(), *MAZUR[0]), OTHER], ids=["Mazur", "another"])
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
    numbers = printed(capsys.readouterr().out)
    assert numbers == rounded([
        x1, w1, h1, w5, o1, t1, o1 - t1,        # forward: from x1 to o1
        w3, w7, w2, w6,                         # the wires that cross
        x2, w4, h2, w8, o2, t2, o2 - t2,        # from x2 to o2
        w3, b1, b2, b3, b4,                     # w3 runs down.  Biases
        w1, x1, w2, x2, b1, h1, C,              # For example, and the loss
        d1, w5, d3, o1 - t1, s3,                # backward: from o1 to h1
        w7, w6,                                 # the wires that cross
        d2, w8, d4, o2 - t2, s4,                # from o2 to h2
        w5, d3, w7, d4, s1], numbers)           # h1 adds up


def test_demo_lists_what_weights_answer_for(demo_case, monkeypatch, capsys):
    network, [(x, _)], _ = demo_case
    # so large a nudge shows that its numbers are no copies
    monkeypatch.setattr(backprop, "numerical_gradient",
                        lambda *case: numerical_gradient(*case, 0.5))
    h, old = forward(network, x)[0][1], flat(network)
    C, gradient = loss_and_gradient(*demo_case)
    nudged = flat(numerical_gradient(*demo_case, 0.5))
    (d1, d2), (d3, d4) = gradient[0][1], gradient[1][1]
    losses, moved = [C], []
    for _ in range(1000):
        sgd_step(network, loss_and_gradient(*demo_case)[1], 0.5)
        losses.append(mean_loss(*demo_case))
        moved.append(flat(network))
    rows = list(zip(                # 4 weights, 2 biases, 4 weights, 2 biases
        [d1, d1, d2, d2, 0, 0, d3, d3, d4, d4], [*x, *x, 0, 0, *h, *h],
        flat(gradient), nudged, old, moved[0]))
    backprop.demo_weights()
    numbers = printed(capsys.readouterr().out)
    assert numbers == rounded([
        0.5, *flat(rows[:4] + rows[6:]),        # w - 0.5 * dC/dw, and the rows
        old[4], 0.5, d1, moved[0][4],           # h1's bias
        *[losses[steps] for steps in [0, 1, 100, 1000]]], numbers)


# other targets and another seed show that no answer is only text
@each("targets, shift", [([0, 1, 1, 0], 0), ([0, 1, 0, 0], 0),
                         ([0, 1, 1, 0], 4)])
def test_demo_films_how_a_network_learns(targets, shift, monkeypatch, capsys):
    samples = [(x, [t]) for (x, _), t in zip(XOR, targets)]
    monkeypatch.setattr(backprop, "XOR", samples)
    monkeypatch.setattr(backprop, "uniform", lambda n: uniform(n + shift))
    backprop.demo_xor()
    out = capsys.readouterr().out
    network, pictures, losses, done = xor_network(1 + shift), [], [], 0
    for epoch in map(int, re.findall(r"epoch (\d+)", out)):
        train(network, samples, squared_error, 1.0, epoch - done)
        done = epoch
        losses.append(mean_loss(network, samples, squared_error))
        pictures.append(["".join([
            " .+#@"[int(5 * predict(network, [x / 10, y / 5])[0])]
            for x in range(11)]) for y in [5, 4, 3, 2, 1, 0]])
    assert [re.findall(r"\|(.{11})\|", line) for line in out.splitlines()
            if "|" in line] == list(map(list, zip(*pictures)))
    numbers = printed(out)
    assert len(losses) == 5 and numbers == rounded(losses, numbers)


# --- The README --------------------------------------------------------------
# Most of these numbers have no other source: the tests guard what is printed.

README, HAS_PICTURES = read("README.md"), os.path.isdir(
    os.path.join(FOLDER, ".github"))
WORDS = " ".join(README.split())
with_readme = pytest.mark.skipif(not README, reason="without a README")
# the code of each block, and what it prints: the lines behind # at its end
BLOCKS = [(code, re.sub("(?m)^# ", "", output)) for code, output in
          re.findall(r"(?ms)```python\n(.*?)((?:^# [^\n]*\n)*)```", README)]
ALGORITHM = ([code for code, _ in BLOCKS if "def backward" in code] or [""])[0]
# no test runs PyTorch, because importing it takes longer than all the tests
MISSING = "import torch" + (
    "" if importlib.util.find_spec("numpy") else "|import numpy")
RUNNABLE = [block for block in BLOCKS if not re.search(MISSING, block[0])]
LARGE = [([500 + x for x in inputs], targets) for inputs, targets in XOR]


def digits(n, numbers):
    """The numbers as text, with n digits behind the point."""
    return ["%.*f" % (n, number) for number in numbers]


@pytest.fixture
def beside_the_file(tmp_path, monkeypatch):
    """A folder with what the blocks need, as a reader has it."""
    tables = re.findall(r"```csv\n(.*?)```", README, re.S)
    (tmp_path / "iris.csv").write_text("".join(tables), encoding="utf-8")
    (tmp_path / "student.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.delitem(sys.modules, "student", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


def run_as_a_file(code):
    # optimize=0: what a block asserts counts with -O, too
    exec(compile(code, "README.md", "exec", optimize=0),
         {"__name__": "__main__"})


def run_in_the_prompt(code):
    console = code_module.InteractiveConsole({"__name__": "__main__"})
    for line in [*code.splitlines(), ""]:
        console.push(line)


@with_readme
@each("way", [run_as_a_file, run_in_the_prompt])
@pytest.mark.parametrize("code, output", RUNNABLE,
                         ids=map(str, range(len(RUNNABLE))))
def test_readme_block_prints_what_it_says_when_it_runs_alone(
        code, output, way, capsys, beside_the_file):
    way(code)
    assert capsys.readouterr() == (output, "")


@with_readme
def test_readme_has_12_blocks_and_pytorch_finds_the_gradient_of_the_module():
    assert len(BLOCKS) == 12
    [output] = [output for code, output in BLOCKS if "import torch" in code]
    gradient = loss_and_gradient(xor_network(), XOR, squared_error)[1]
    assert output == "".join([
        "%s\n" % digits(6, row) for row in gradient[0][0]])


@with_readme
@with_comments
def test_readme_shows_five_functions_as_they_stand_in_the_file():
    shown, original = [{name: [re.sub(" *#.*", "", line) for line in lines]
                        for name, lines in functions_of(source).items()}
                       for source in (ALGORITHM, SOURCE)]
    assert shown == {name: original[name] for name in shown}
    assert "[five functions, %d lines]" % sum(
        map(len, shown.values())) in WORDS
    assert len(shown) == 5
    assert len(ALGORITHM.splitlines()) <= 64        # a printed page
    # what it prints, the file prints as well, in an example
    assert dict(BLOCKS)[ALGORITHM].strip() in SOURCE


@with_readme
def test_readme_shows_the_second_screen_of_the_demo(demo_screens):
    assert re.findall(r"```text\n(.*?)```", README, re.S) == [demo_screens[1]]


@with_readme
def test_readme_links_lead_to_headings_and_files_that_exist():
    places = [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-")
              for heading in re.findall(r"(?m)^#+ (.*)$", README)]
    links = re.findall(r"\]\(([^)]*)\)", README) + re.findall(
        r'src(?:set)?="(.*?)"', README)
    inside = [link[1:] for link in links if link.startswith("#")]
    files = [link for link in links if not link.startswith(("#", "http"))]
    assert inside and set(inside) <= set(places)
    assert files and [name for name in files if (
        HAS_PICTURES or not name.startswith(".github/"))
        and not os.path.exists(os.path.join(FOLDER, name))] == []


@pytest.mark.skipif(not HAS_PICTURES, reason="without its pictures")
@each("picture", ["network.svg", "network-dark.svg"])
def test_picture_shows_the_numbers_that_the_code_computes(picture):
    network, [(inputs, targets)], moved = mazur(), MAZUR, mazur()
    C, gradient = loss_and_gradient(network, MAZUR, squared_error)
    sgd_step(moved, gradient, 0.5)

    def part(i, entries):
        return flat([entry[i] for entry in entries])

    expected = {
        "activations": digits(2, inputs) + digits(4, flat(
            forward(network, inputs)[0][1:])),
        "weights": digits(2, part(0, network)),
        "biases": digits(2, part(1, network)), "targets": digits(2, targets),
        "loss": digits(4, [C, mean_loss(moved, MAZUR, squared_error)]),
        "deltas": digits(4, part(1, gradient)),
        "weights-after": digits(4, part(0, moved)),
        "biases-after": digits(4, part(1, moved))}
    groups = dict(re.findall(r'<g[^>]*class="(.*?)"[^>]*>(.*?)</g>',
                             read(".github", picture), re.S))
    assert {stage: re.findall(r">(?:[\w ]+ )?(-?\d+\.\d+)<", groups[stage])
            for stage in expected} == expected


# the mistakes of the table: a row's title, and what to change in the file
ONLY = "dC_da_j * (%s if layer == len(network) - 1 else %s)"
MISTAKES = [
    ("none", "import math", "import math"),
    ("slope forgotten at the outputs", "dC_da_j * slope_j",
     ONLY % (1, "slope_j")),
    ("slope forgotten in the hidden layers", "dC_da_j * slope_j",
     ONLY % ("slope_j", 1)),
    ("slope taken at a, not at z", "a_j, slope_j = f(z_j)",
     "a_j, slope_j = f(z_j)[0], f(f(z_j)[0])[1]"),
    ("dC/da sent back instead of delta", "[0], deltas)", "[0], dC_da)"),
    ("row for column in (2) \u00b2", "in zip(*weights)]", "in weights]"),
    ("`=` for `+=` in (2) \u00b3", "(column, deltas)",
     "(column[-1:], deltas[-1:])"),
    ("target - output as dC/da", "append(a - t)", "append(t - a)"),
    ("factor 2, or the half forgotten in C", "append(a - t)",
     "append(2 * (a - t))"),
    ("inputs instead of hidden activations in (3) \u00b2",
     "in activations[layer]]", "in activations[0]]"),
    ("off by one layer in (3) \u00b2",
     "in activations[layer]]", "in activations[layer + 1]]"),
    ("biases forgotten in (4)", "dC_db = deltas", "dC_db = [0] * len(deltas)"),
    ("sum instead of mean over the samples \u2074", "dC_da_j / n", "dC_da_j"),
    ("step with the wrong sign", "row[i] -= learn", "row[i] += learn"),
]


@with_readme
def test_readme_lists_the_mistakes_that_are_made_here():
    [table] = re.findall(r"\| the mistake .*?\n\n", README, re.S)
    assert re.findall(r"(?m)^\| (.*?) \|", table) == [
        "the mistake", *[title for title, old, new in MISTAKES]]


def learns_xor(seed, module):
    """Whether a 2-4-1 network comes near all targets in 200 epochs."""
    network = xor_network(seed, module["tanh"], module["sigmoid"])
    module["train"](network, XOR, module["squared_error"], 1.0, 200)
    return max(abs(predict(network, inputs)[0] - targets[0])
               for inputs, targets in XOR) < 0.1        # as the README says


@with_readme
@each("title, old, new", MISTAKES)
def test_readme_says_truly_what_becomes_of_a_mistake(title, old, new):
    assert SOURCE.count(old) == 1
    module, checks, places = run(SOURCE.replace(old, new)), [], set()
    for seed in range(5):
        rng = uniform(seed)
        network = init_network([3, 3, 3, 3], [tanh, tanh, sigmoid], rng)
        samples = [[[next(rng) for _ in range(3)] for _ in range(2)]
                   for _ in range(4)]
        case = network, samples, module["squared_error"]
        checks.append(module["gradient_check"](*case))
        g, n = module["loss_and_gradient"](*case)[1], numerical_gradient(*case)
        # where both agree, they do to 1e-11; a mistake is 3e-4 at least
        weights, biases = [", ".join([str(layer) for layer in range(3) if flat(
            g[layer][part]) != near(flat(n[layer][part]), 0, 1e-6)])
            for part in (0, 1)]
        places.add(weights or "none" if weights == biases else (
            weights + " weights" if weights else biases + " biases"))
    if "\u00b2" in title:               # the lengths don't fit
        with pytest.raises((IndexError, ValueError)):
            learns_xor(0, module)
        learned = "-"
    else:
        learned = sum(learns_xor(seed, module) for seed in range(5))
    low, high = digits(2, [min(checks), max(checks)])
    [place] = places
    assert "| %s | %s | %s | %s |" % (
        title, "< 1e-8" if max(checks) < 1e-8 else
        low if low == high else low + " to " + high, place, learned
    ) in README.splitlines()


def trained(network, samples=XOR):
    train(network, samples, squared_error, 1.0, 1000)
    return network


def one_answer(network, samples=XOR):
    """The answer that all the samples get, to two digits."""
    [answer] = {"%.2f" % predict(network, inputs)[0] for inputs, _ in samples}
    return float(answer)


def mazurs_loss(late):
    """After a step that holds the biases; late: (2) sees the new weights."""
    network, [(inputs, targets)] = mazur(), MAZUR
    passes = forward(network, inputs)
    C, dC_da = squared_error(passes[0][-1], targets)
    gradient = backward(network, *passes, dC_da)
    for layer in (1, 0):
        sgd_step(network[layer:layer + 1], gradient[layer:layer + 1], 0.5)
        network[layer][1] = mazur()[layer][1]
        if late:
            gradient = backward(network, *passes, dC_da)
    return mean_loss(network, MAZUR, squared_error)


def epochs_needed(factor):
    """How many steps, with so much of the last change, take XOR to 0.01."""
    network = xor_network()
    changes = [[0.0] * len(row) for row in parameters(network)]
    for steps in range(1000):
        C, gradient = loss_and_gradient(network, XOR, squared_error)
        if C < 0.01:
            return steps
        for change, row in zip(changes, parameters(gradient)):
            row[:] = change[:] = [factor * c + d for c, d in zip(change, row)]
        sgd_step(network, gradient, 1.0)


def one_pass_on_paper():
    network = [*node(0.5, 0.0, sigmoid), *node(2.0, -1.0, sigmoid)]
    (x, [h], [o]), ([slope_h], [slope_o]) = passes = forward(network, [1.0])
    C, dC_da = squared_error([o], [0.0])
    gradient = backward(network, *passes, dC_da)
    numbers = [h, 2 * h - 1, o, C, slope_o, *gradient[1][1],
               *send_back([[2.0]], gradient[1][1]), slope_h,
               *gradient[0][1], *gradient[0][1], *gradient[1][0][0],
               *gradient[1][1]]
    sgd_step(network, gradient, 1.0)
    return (*numbers, *flat(network), mean_loss(network, ONE, squared_error))


def lower_moves():
    """How many of 100 random moves from the stuck network find a lower C."""
    network, rng, lower = trained(xor_network(29)), uniform(5), 0
    C = mean_loss(network, XOR, squared_error)
    for _ in range(1000):
        moved = copy.deepcopy(network)
        for row in parameters(moved):
            row[:] = [w + 0.1 * (2 * next(rng) - 1) for w in row]
        lower += mean_loss(moved, XOR, squared_error) < C
    return lower / 10


@with_readme
@each("text, compute", [
    ("after one step, %.9f, is what you get if they go through the new ones. "
     "The old ones give %.9f.",
     lambda: (mazurs_loss(late=True), mazurs_loss(late=False))),
    # train refuses sigmoid_cross_entropy itself behind a sigmoid
    ("which stays at %.2f for XOR (seed 1, 400", lambda: train(
        xor_network(), XOR, lambda *pair: sigmoid_cross_entropy(*pair), 1.0,
        400)[-1]),
    ("z = 0.5 and a = %.4f, o has z = %.4f and a = %.4f. C = %.4f. Back: o's "
     "slope is %.4f and its delta %.4f; dC/da of h is %.4f, its slope %.4f "
     "and its delta %.4f. Gradient: %.4f for h's weight and bias, %.4f and "
     "%.4f for o's. After the step: %.4f and %.4f for h, %.4f and %.4f for o, "
     "and C = %.4f.", one_pass_on_paper),
    ("need %d epochs without it and %d with it",
     lambda: (epochs_needed(0.0), epochs_needed(0.9))),
    ("three answers near %.2f. Why", lambda: one_answer(trained(
        [[[[0.5, 0.5] for _ in range(4)], [0.0] * 4, tanh],
         [[[0.5] * 4], [0.0], sigmoid]]), XOR[1:])),
    ("XOR sticks at %.2f for everything",
     lambda: one_answer(trained(xor_network(29)))),
    ("about %.0f times in 100 you find a lower C", lower_moves),
    ("answer %.2f, %.2f, %.2f, %.2f and %.2f.", lambda: tuple([
        predict(trained(xor_network(seed)), [0.5, 0.5])[0]
        for seed in range(5)])),
    ("every answer ends at %.2f.", lambda: one_answer(trained(
        xor_network(), [(inputs, [2 + 2 * t]) for inputs, [t] in XOR]))),
    ("every answer is the same, near %.1f.",
     lambda: one_answer(trained(xor_network(), LARGE), LARGE)),
])
def test_readme_says_truly_what_a_reader_will_get(text, compute):
    assert text % compute() in WORDS
