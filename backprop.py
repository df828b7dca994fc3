"""Backpropagation in plain Python: lists, numbers, and the chain rule.

The question
    A neural network turns inputs into outputs by means of numbers, its weights
    and biases.  A loss C says, in one number, how far the outputs are from the
    targets.  To learn is to change every weight and bias a little so that C
    falls.  How much is each of them to blame for C?  The derivative dC/dw
    tells us: if w alone changes a little, C changes dC/dw times as much.  One
    could nudge each weight in turn and watch C, but that takes one or two
    forward passes for every weight.  Backpropagation finds all derivatives in
    one forward pass and one backward pass, together about as much work as two
    or three forward passes.

The network, seen from one node j
    "Below" means nearer to the inputs (left in the picture), "above" nearer to
    the outputs (right).  Nodes in between are hidden.  For letters: Notation.

    layer below                    node j                   layer above
                      +----------------------------+
    a_0 ---- w_j0 --->|                            |--- w_0j ---> z_0 ---+
    a_1 ---- w_j1 --->| z_j -------- f ------> a_j |--- w_1j ---> z_1 ---+--> C
      1 ---- b_j ---->|                            |
                      |                            |
    dC/dw_j0 <-- a_0 -|                            |<-- w_0j -- delta_0 <-+
    dC/dw_j1 <-- a_1 -| delta_j <--slope-- dC/da_j |<-- w_1j -- delta_1 <-+-- C
    dC/db_j  <--- 1 --|                            |
                      +----------------------------+

    Arrows carry factors to multiply by; what enters j is added up.  a_0 and
    z_0 belong to different nodes, for each layer counts its own from 0.
    forward   --->  the activations a_i below give z_j, and z_j gives a_j
    backward  <---  the errors delta_k above come down the same weights and
                    give delta_j, and delta_j gives the derivatives

Notation
    x  input      w  weight     z  weighted sum     C  loss
    t  target     b  bias       a  activation       f  activation function
    i, j, k       a node in the layer below, in this layer, in the one above;
                  below the first layer are the inputs, and a_i is x_i
    w_ji          the weight from node i to node j.  The receiver comes first,
                  so that all the weights of a node make one list
    slope         da/dz of a node: how steep f is at its z
    delta         dC/dz, the error of a node: how fast C grows with its z
    gradient      a list of derivatives of C, one for each output or weight

The chain rule, on a single node
    One input x, one output.  The way from w to C has three stages, each with a
    derivative of its own:
        z = w * x + b                       dz/dw = x              the input
        a = sigmoid(z) = 1 / (1 + exp(-z))  da/dz = a * (1 - a)    the slope
        C = (a - t)**2 / 2                  dC/da = a - t          how far off
    Change w a little: z changes x times as much as w, a changes da/dz times as
    much as z, and C changes dC/da times as much as a.  So per change of w:
        dC/dw = dC/da * da/dz * dz/dw
    Take w = 2, b = -1, x = 0.5, t = 1.  Then z is 0; sigmoid, further below,
    returns both a and da/dz:

    >>> a, da_dz = sigmoid(0.0)
    >>> dC_da, dz_dw = a - 1.0, 0.5
    >>> dC_da, da_dz, dz_dw
    (-0.5, 0.25, 0.5)
    >>> dC_da * da_dz * dz_dw
    -0.0625

    The first two factors make dC/dz, the error delta of the node.  They do not
    depend on which of its weights one asks about, so delta is found once per
    node and then serves all of them.

The four equations
    The forward pass has one rule.  The function that applies it is at right:
             z_j = (sum over i of w_ji * a_i) + b_j,  a_j = f(z_j)      forward

    The backward pass has two.  An output's z_j changes C by way of its a_j
    alone, and the loss gives dC/da_j.  (Softmax turns all z into shares with
    sum 1, each of which depends on every z.  So it is part of a loss here.)
        (1)  delta_j = dC/da_j * da_j/dz_j                            backward

    A hidden node has no target, but its a_j changes every z_k above.  Nudge
    a_j by a tiny h: each z_k moves by w_kj * h, and that alone moves C by
    delta_k * w_kj * h.  All of them together move C by the sum, apart from
    terms with h * h, too tiny to count.  Divided by h, it is dC/da_j of (1):
        (2)  delta_j = (sum over k of w_kj * delta_k) * da_j/dz_j     backward

    Two more give what is wanted, since z_j changes a_i times as much as w_ji,
    and just as much as b_j:
        (3)  dC/dw_ji = delta_j * a_i                sgd_step, batch_gradients
        (4)  dC/db_j  = delta_j                      sgd_step, batch_gradients

    Then every weight takes a step against its derivative, every bias likewise:
             w_ji becomes w_ji - learning_rate * dC/dw_ji             sgd_step

The network as data
    network = [[weights, biases, activation], ...]    one entry per layer of
                     nodes; the inputs, which have no weights, need none
    weights[j][i]    w_ji, from node i of the layer below to node j
    biases[j]        b_j, one per node
    activation       the function f of the layer: activation(z) -> (a, da/dz)

One idea runs through the file: every activation function returns its value and
slope, and every loss its value and gradient.  The forward pass keeps the
slopes, the backward pass multiplies by them; that is the chain rule.  Your own
functions only have to do the same; gradient_check shows whether they do.

XOR is 1 where exactly one of its two inputs is 1.  Here a network with 2
inputs, 4 hidden nodes and 1 output learns it from four samples, which are
(inputs, targets) pairs, in 1000 visits to each, with learning rate 1.0:

    >>> xor = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    >>> network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    >>> losses = train(network, xor, squared_error, 1.0, epochs=1000)
    >>> [round(predict(network, inputs)[0]) for inputs, targets in xor]
    [0, 1, 1, 0]

Sources
    D. Rumelhart, G. Hinton, R. Williams: Learning representations by
        back-propagating errors, Nature 323 (1986): the method
    M. Nielsen: Neural Networks and Deep Learning (2015), chapter 2: the four
        equations (there BP1, BP2, BP4 and BP3), with delta as it is here
    Y. LeCun, L. Bottou, G. Orr, K. Mueller: Efficient BackProp (1998): how
        large the first weights should be
    S. Park, K. Miller: Random number generators: good ones are hard to find,
        Communications of the ACM 31 (1988): the random numbers, here with the
        multiplier 48271 that they advised later, in volume 36 (1993)
"""

import math

try:
    from math import sumprod                # fast, from Python 3.12 on
except ImportError:
    def sumprod(p, q):
        """Return p[0] * q[0] + p[1] * q[1] + ..., the dot product."""
        total = 0.0
        for i in range(len(p)):
            total += p[i] * q[i]
        return total


# --- A node: six activation functions, each z -> (a, da/dz) ------------------
#
# The smallest part comes first.  A node makes a weighted sum z and bends it:
# without a curve between them, layers of weighted sums would add up to just
# another weighted sum.  These are the usual functions, with their slopes.

def linear(z):
    """Return (a, da/dz) of a = z, the function that changes nothing.

    da/dz = 1

    >>> linear(3.0)
    (3.0, 1.0)
    """
    return z, 1.0


def sigmoid(z):
    """Return (a, da/dz) of a = 1 / (1 + exp(-z)), between 0 and 1.

    da/dz = exp(-z) / (1 + exp(-z))**2, and as 1 - a = exp(-z) / (1 + exp(-z)),
    this is a * (1 - a).  It is at most 1/4, so by (2) errors tend to fade on
    their way down through many layers, and the lower weights learn slowly.

    >>> sigmoid(0.0)
    (0.5, 0.25)
    """
    if z >= 0.0:
        a = 1.0 / (1.0 + math.exp(-z))
    else:                       # the same value, but exp cannot overflow here
        a = math.exp(z) / (1.0 + math.exp(z))
    return a, a * (1.0 - a)                 # da/dz = a * (1 - a)


def tanh(z):
    """Return (a, da/dz) of a = tanh(z), between -1 and 1.

    This is a sigmoid, stretched: a = 2 * s - 1, where s is sigmoid at 2 * z.
    da/dz = 2 * s * (1 - s) * 2, and as s = (1 + a) / 2, this is 1 - a**2.

    >>> tanh(0.0)
    (0.0, 1.0)
    """
    a = math.tanh(z)
    return a, 1.0 - a * a                   # da/dz = 1 - a**2


def relu(z):
    """Return (a, da/dz) of a = 0 if z <= 0, else z.

    da/dz = 0 if z <= 0, else 1.  At the kink, z = 0, there is no derivative;
    0 is a choice.  With biases 0, inputs or a layer below all 0 lead there.

    >>> relu(-2.0), relu(2.0)
    ((0.0, 0.0), (2.0, 1.0))
    """
    return (0.0, 0.0) if z <= 0.0 else (z, 1.0)


def leaky_relu(z):
    """Return (a, da/dz) of a = z / 100 if z <= 0, else z.

    da/dz = 1 / 100 if z <= 0, else 1.

    >>> leaky_relu(-2.0), leaky_relu(2.0)
    ((-0.02, 0.01), (2.0, 1.0))
    """
    return (0.01 * z, 0.01) if z <= 0.0 else (z, 1.0)


def swish(z):
    """Return (a, da/dz) of a = z * s, where s = 1 / (1 + exp(-z)); or SiLU.

    da/dz = s + z * ds/dz, by the product rule.

    >>> swish(0.0)
    (0.0, 0.5)
    """
    s, ds_dz = sigmoid(z)
    return z * s, s + z * ds_dz             # da/dz = s + z * ds/dz


# --- The loss: three ways to say how wrong, each -> (C, [dC/d output]) -------
#
# A node is to blame only if something went wrong.  So next comes the measure
# of that, and its derivatives, from which all other blame is worked out.
# Outputs, targets and gradient are lists of numbers, one per output node.  The
# squared error suits any output layer.  The cross-entropies are for
# probabilities: -log(p), to the base e, is 0 if the right answer has p = 1,
# and grows without limit as p nears 0.  Both make the p from the outputs of a
# linear layer (a sigmoid layer there would bend them twice).  As a = z in a
# linear layer, the dC/dz that they return is dC/da as well.

def squared_error(outputs, targets):
    """Return (C, [dC/da, ...]) of C = half the sum of (a - t)**2.

    The half is there so that dC/da is just a - t.
    Raises ValueError unless there is one target per output.

    >>> squared_error([3.0, 1.0], [1.0, 1.0])
    (2.0, [2.0, 0.0])
    """
    if len(targets) != len(outputs):
        raise ValueError("targets: expected length %d, got %d"
                         % (len(outputs), len(targets)))
    C, gradient = 0.0, []
    for a, t in zip(outputs, targets):
        C += 0.5 * (a - t) * (a - t)                    # half of (a - t)**2
        gradient.append(a - t)                          # dC/da = a - t
    return C, gradient


def sigmoid_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that each say yes or no.

    logits are the outputs z of a linear layer; the sigmoid is applied here.
    Later, sigmoid(z)[0] turns each z from predict into p.
    With (p, dp/dz) = sigmoid(z), p the probability of yes, and t from 0 to 1:
        C = sum of (-t * log(p) - (1 - t) * log(1 - p))
        dC/dp = -t / p + (1 - t) / (1 - p) = (p - t) / (p * (1 - p))
        dC/dz = dC/dp * dp/dz = dC/dp * p * (1 - p) = p - t
    Raises ValueError unless there is one target from 0 to 1 per logit.

    >>> C, gradient = sigmoid_cross_entropy([0.0], [1.0])
    >>> round(C, 6), gradient
    (0.693147, [-0.5])
    """
    if len(targets) != len(logits):
        raise ValueError("targets: expected length %d, got %d"
                         % (len(logits), len(targets)))
    C, gradient = 0.0, []
    for z, t in zip(logits, targets):
        if not 0 <= t <= 1:
            raise ValueError("targets: expected 0 to 1, got %r" % (t,))
        # With L = log(1 + exp(-z)), -log(p) is L.  As 1 - p is exp(-z) * p,
        # -log(1 - p) is z + L, and C is z - t * z + L.  For z < 0, z + L is
        # log(1 + exp(z)), which is safe far below 0; this is both in one:
        C += max(z, 0.0) - t * z + math.log(1 + math.exp(-abs(z)))
        gradient.append(sigmoid(z)[0] - t)              # dC/dz = p - t
    return C, gradient


def softmax(logits):
    """Return probabilities p_j = exp(z_j) / (sum of exp(z)), which sum to 1.

    One per logit; raises ValueError if there are no logits.

    >>> softmax([5.0, 5.0])
    [0.5, 0.5]
    """
    top = max(logits)           # minus top: the same p, but no exp overflows
    powers = [math.exp(z - top) for z in logits]
    total = sum(powers)
    return [power / total for power in powers]       # p_j


def softmax_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that choose one class of several.

    logits are the outputs z of a linear layer; the softmax is applied here,
    and softmax(predict(network, inputs)) gives the probabilities afterwards:
    the largest is the answer.
    With p = softmax(z), so that log(p_j) = z_j - log(sum of exp(z)), and with
    targets that sum to 1, such as [0, 1, 0]:
        C = sum of (-t * log(p)) = log(sum of exp(z)) - (sum of t * z)
        dC/dz_j = exp(z_j) / (sum of exp(z)) - t_j = p_j - t_j
    Raises ValueError unless there is one target per logit, none is negative,
    and they sum to 1.

    >>> C, gradient = softmax_cross_entropy([0.0, 0.0], [1, 0])
    >>> round(C, 6), gradient
    (0.693147, [-0.5, 0.5])
    """
    if len(targets) != len(logits):
        raise ValueError("targets: expected length %d, got %d"
                         % (len(logits), len(targets)))
    if min(targets) < 0 or not abs(sum(targets) - 1) < 1e-6:
        raise ValueError("targets: expected 0 to 1 with sum 1, got %r"
                         % (targets,))
    # C = log(sum of exp(z)) - (sum of t * z)
    top = max(logits)           # minus top: the same C, but no exp overflows
    C = (math.log(sum(math.exp(z - top) for z in logits))
         - sum(t * (z - top) for z, t in zip(logits, targets)))
    gradient = [p - t for p, t in zip(softmax(logits), targets)]
    return C, gradient                                  # dC/dz_j = p_j - t_j


# --- Forward: from the inputs to the outputs ---------------------------------
#
# The first of the two passes.  It keeps what the second will need: every a,
# for equation (3), and every slope, for (1) and (2).

def forward(network, inputs):
    """Return (activations, slopes) of every layer, for one sample.

    activations  the inputs, then a of every node, layer by layer, the outputs
                 last: activations[index] goes into layer network[index], and
                 activations[index + 1] comes out of it
    slopes       da/dz of every node: slopes[index][j] for node j of that layer
    Raises ValueError if the number of inputs does not fit the network.

    >>> network = [[[[0.5, 0.5]], [-1.0], relu]]
    >>> forward(network, [4.0, 2.0])
    ([[4.0, 2.0], [2.0]], [[1.0]])
    """
    activations, slopes = [inputs], []
    for index in range(len(network)):
        weights, biases, f = network[index]
        below = activations[index]
        if len(below) != len(weights[0]):
            raise ValueError("layer network[%d]: expected %d inputs, got %d"
                             % (index, len(weights[0]), len(below)))
        layer_a, layer_slopes = [], []
        for j in range(len(biases)):
            # z_j = (sum over i of w_ji * a_i) + b_j,  a_j = f(z_j)
            z = sumprod(weights[j], below) + biases[j]
            a, da_dz = f(z)
            layer_a.append(a)
            layer_slopes.append(da_dz)
        activations.append(layer_a)
        slopes.append(layer_slopes)
    return activations, slopes


def predict(network, inputs):
    """Return the outputs for one sample's inputs, one per output node.

    Raises ValueError for a network or inputs that train would refuse.
    """
    check_network(network)
    inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
    activations, slopes = forward(network, inputs)
    return activations[-1]


# --- Backward: from the loss to the error of every node ----------------------
#
# The second pass, the heart of the matter.  Only the outputs touch the
# loss, so their errors come first; then each layer gets its errors from those
# of the layer above it, down to the first hidden one.  Equations (3) and (4)
# follow in the next section.

def backward(network, slopes, output_gradient):
    """Return deltas: deltas[index][j] = dC/dz of node j of network[index].

    slopes           from forward
    output_gradient  dC/da of each output, from the loss
    Changes nothing, so that a second call gives the same deltas.
    Raises ValueError unless there is a list of slopes for every layer, and a
    dC/da for every output.

    A hidden node below two outputs, (3 * 10 + 4 * 100) * 0.5 = 215:

    >>> outputs = [[[3.0], [4.0]], [0.0, 0.0], linear]
    >>> network = [[[[2.0]], [0.0], swish], outputs]
    >>> activations, slopes = forward(network, [0.0])
    >>> slopes
    [[0.5], [1.0, 1.0]]
    >>> backward(network, slopes, [10.0, 100.0])
    [[215.0], [10.0, 100.0]]
    """
    n_out = len(network[-1][1])
    if len(slopes) != len(network):
        raise ValueError("slopes: expected length %d, got %d"
                         % (len(network), len(slopes)))
    if len(output_gradient) != n_out:
        raise ValueError("output_gradient: expected length %d, got %d"
                         % (n_out, len(output_gradient)))
    # (1) outputs: delta_j = dC/da_j * da_j/dz_j
    delta = []
    for j in range(n_out):
        delta.append(output_gradient[j] * slopes[-1][j])
    deltas = [delta]
    # (2) hidden nodes: the same, where dC/da_j = sum over k of w_kj * delta_k
    # (in matrices, W transposed times delta: the w_kj of one j are a column)
    for index in range(len(network) - 2, -1, -1):       # downwards, to 0
        weights = network[index + 1][0]         # of the layer above, w_kj
        above = deltas[0]                       # its errors, just found
        delta = []
        for j in range(len(weights[0])):        # a row has a w_kj for each j
            dC_da = 0.0
            for k in range(len(above)):
                dC_da += weights[k][j] * above[k]       # w_kj * delta_k
            delta.append(dC_da * slopes[index][j])      # times da_j/dz_j
        deltas.insert(0, delta)         # in front: deltas[0] is the lowest
    return deltas


def backpropagate(network, inputs, targets, loss):
    """Return (C, activations, deltas) for one sample; changes nothing.

    loss is one of the three above, or a function of the same kind.  For the
    shapes, and for what raises ValueError, see forward, backward, the loss.
    """
    activations, slopes = forward(network, inputs)
    C, output_gradient = loss(activations[-1], targets)
    deltas = backward(network, slopes, output_gradient)
    return C, activations, deltas


# --- Update: a small step downhill -------------------------------------------
#
# Now every weight can be told its share: the error of the node it leads to,
# times the activation that it carried there.  No weight moves before all the
# errors are known, as (2) needs the weights that the forward pass used.
# Backpropagation finds the derivatives; stepping against them, again and
# again, is gradient descent.

def sgd_step(network, activations, deltas, learning_rate):
    """Move weights and biases against dC/dw and dC/db, in place; return None.

    activations come from forward, deltas from backward, for the same sample;
    their shapes are given there.  A weight moves by learning_rate times its
    derivative.
    Stochastic (random) gradient descent, SGD, is this step for one sample
    after another, best in random order.  A small step lowers the C of its own
    sample, but the C of all samples only on average.
    Checks nothing, as it is called often; train checks once, beforehand.

    >>> network = [[[[1.0, 2.0]], [3.0], linear]]
    >>> sgd_step(network, [[10.0, 20.0], [53.0]], [[0.5]], 0.5)
    >>> network[0][:2]
    [[[-1.5, -3.0]], [2.75]]
    """
    for index in range(len(network)):
        weights, biases, f = network[index]
        below, delta = activations[index], deltas[index]
        for j in range(len(delta)):
            step = learning_rate * delta[j]
            row = weights[j]
            for i in range(len(row)):
                row[i] -= step * below[i]       # by (3): rate * delta_j * a_i
            biases[j] -= step                   # by (4): rate * delta_j


# --- The network to start from: random weights -------------------------------
#
# The steps have to begin somewhere, but not at zeros: nodes of a layer that
# start with equal biases and weights, from below and to above, get the same
# errors, take the same steps, and stay alike for ever.  And some starts lead
# to a dead end.  With XOR, this may be an output of 0.5 for all samples: what
# one asks for, the others undo.  Then another seed, or more hidden nodes, may
# help.

def park_miller(state):
    """Yield floats between 0 and 1 by Park and Miller's minimal standard.

    Each state, a whole number from 1 to 2**31 - 2, makes the next one; from
    1 they are 48271, 182605794, ...
    """
    while True:
        state = state * 48271 % (2**31 - 1)
        yield state / (2**31 - 1)


def uniform(seed):
    """Return an endless generator of random floats in (0, 1).

    The same seed, any whole number, gives the same floats on every Python.
    Raises ValueError for any other kind of seed.

    >>> rng = uniform(1)
    >>> 0 < next(rng) < 1
    True
    """
    if not isinstance(seed, int):
        refuse("seed", "a whole number", seed)
    # States that lie close together give related numbers.  The 17th power
    # scatters them and, as 17 has no factor in common with 2**31 - 2, never
    # gives two starts the same state.  The shift by 1986 was chosen so that a
    # 2-4-1 network learns XOR from each of the seeds 0 to 99; of the others,
    # about 1 in 100 leads to a dead end.
    start = 1 + (seed + 1986) % (2**31 - 2)
    return park_miller(start**17 % (2**31 - 1))


def init_network(sizes, activations, rng):
    """Return a new network [[weights, biases, activation], ...].

    sizes        nodes per layer, the inputs first: [2, 4, 1]
    activations  one function f per layer after the inputs: [tanh, sigmoid]
    rng          random number generator, of floats in (0, 1): uniform(1)

    The weights of a node with n_in inputs are uniform within +-sqrt(3 / n_in)
    (LeCun 1998); biases are 0.  The mean square of numbers uniform within +-L
    is L**2 / 3, here 1 / n_in.  In z, a sum of n_in terms w * a with random
    signs, mean squares add up: n_in times a**2 / n_in.  So z is about as large
    as one input, however many there are.
    Raises ValueError for fewer than two sizes, a size below 1, too many or too
    few activations, or anything that is not a size, activation or generator.

    >>> network = init_network([3, 1], [tanh], uniform(1))
    >>> weights, biases, activation = network[0]
    >>> len(weights), len(weights[0]), biases
    (1, 3, [0.0])
    """
    sizes, activations = check_plan(sizes, activations, rng)
    network = []
    for n_in, n_out, activation in zip(sizes, sizes[1:], activations):
        limit = math.sqrt(3 / n_in)
        weights = [[limit * (2 * next(rng) - 1) for i in range(n_in)]
                   for j in range(n_out)]
        network.append([weights, [0.0] * n_out, activation])
    return network


# --- Training: all of it, again and again ------------------------------------
#
# One step for one sample is done; learning takes many.  An epoch visits every
# sample once.  A batch is the samples that share a step: just one ("online" or
# "stochastic" training), a few ("mini-batch"), or all of them ("batch").
# What counts in the end is the loss on samples that were not trained on: keep
# some back for mean_loss.

def columns(rows):
    """Return the columns of a list of rows, as lists.

    >>> columns([[1, 2, 3], [4, 5, 6]])
    [[1, 4], [2, 5], [3, 6]]
    """
    return [list(column) for column in zip(*rows)]


def parameter_rows(network):
    """Return every row of weights and every list of biases, in one list.

    The lists themselves, not copies: changing them changes the network.
    Takes a network, or the nested lists (nest) that gradients returns.
    """
    result = []
    for layer in network:
        weights, biases = layer[0], layer[1]
        result += weights + [biases]
    return result


def batch_gradients(network, batch, loss):
    """Return (mean C, [[dC/dweights, dC/dbiases], ...]) of a batch of samples.

    The mean of (3), delta_j * a_i, over n samples is the dot product of their
    delta_j and their a_i, divided by n: one call of sumprod for each weight.
    The lists have the shapes of the network's weights and biases.  This is
    the function gradients without its checks.

    >>> network = [[[[1.0, 1.0]], [0.0], linear]]
    >>> batch = [([1.0, 2.0], [0.0]), ([3.0, 0.0], [1.0])]
    >>> batch_gradients(network, batch, squared_error)
    (3.25, [[[[4.5, 3.0]], [2.5]]])
    """
    n = len(batch)
    losses, activations, deltas = columns([     # n triples -> three lists
        backpropagate(network, inputs, targets, loss)
        for inputs, targets in batch])
    nest = []
    for index in range(len(network)):
        # layers are those of one sample.  Of this layer, a_lists[i] holds a_i
        # of every sample, and delta_lists[j] holds every delta_j
        a_lists = columns([layers[index] for layers in activations])
        delta_lists = columns([layers[index] for layers in deltas])
        dC_dw = [[sumprod(delta_list, a_list) / n for a_list in a_lists]
                 for delta_list in delta_lists]                         # (3)
        dC_db = [sum(delta_list) / n for delta_list in delta_lists]     # (4)
        nest.append([dC_dw, dC_db])
    return sum(losses) / n, nest


def train_epoch(network, samples, loss, learning_rate, batch_size):
    """Train on each sample once; return the mean of the losses met on the way.

    Each batch first finds all its deltas, with the weights as they are, and
    only then takes its step, against the mean of its samples' gradients.
    The arguments are those of train, which has checked them.
    """
    total = 0.0
    for start in range(0, len(samples), batch_size):
        batch = samples[start:start + batch_size]
        if len(batch) == 1:             # no mean to take: this way is faster
            inputs, targets = batch[0]
            mean_C, activations, deltas = backpropagate(
                network, inputs, targets, loss)
            sgd_step(network, activations, deltas, learning_rate)
        else:                           # w -= learning_rate * mean of dC/dw
            mean_C, nest = batch_gradients(network, batch, loss)
            for row, gradient in zip(parameter_rows(network),
                                     parameter_rows(nest)):
                for i in range(len(row)):       # as in sgd_step
                    row[i] -= learning_rate * gradient[i]
        total += mean_C * len(batch)
    return total / len(samples)


def shuffle(items, rng):
    """Put a list into random order, in place (Fisher and Yates)."""
    for last in range(len(items) - 1, 0, -1):
        pick = int(next(rng) * (last + 1))
        items[last], items[pick] = items[pick], items[last]


def train(network, samples, loss, learning_rate,
          epochs=1, batch_size=1, rng=None):
    """Train the network in place; return the mean loss of each epoch.

    samples        (inputs, targets) pairs; an epoch is one visit to each
    loss           squared_error or another of its kind
    learning_rate  the step of a weight is this times its derivative.  Too
                   large, and C grows; too small, and C creeps: try 1, 0.1, ...
    batch_size     samples per step, which goes against the mean of their
                   gradients: 1, a few or len(samples); the last may be smaller
    rng            if given, shuffles the samples for each epoch: uniform(1)
    Each sample's loss is found before the step that learns from it.

    Raises ValueError for bad input and if training diverges.  An epoch that
    fails or is interrupted is undone (but numbers taken from rng are gone).
    """
    samples = check_samples(network, samples, loss)
    check_settings(learning_rate, epochs, batch_size, rng)
    losses = []
    for epoch in range(1, epochs + 1):
        if rng is not None:
            shuffle(samples, rng)       # not the caller's list, but a copy
        before = [list(row) for row in parameter_rows(network)]
        try:
            losses.append(train_epoch(network, samples, loss, learning_rate,
                                      batch_size))
            check_converging(network, losses[-1], epoch)
        except BaseException:           # Ctrl-C too
            for row, old in zip(parameter_rows(network), before):
                row[:] = old
            raise
    return losses


# --- The gradient as a whole, and how we know that it is right ---------------
#
# Training spends each derivative at once.  Here all of them are collected, to
# be looked at, and compared with the slow way: to nudge, and to watch C.

def mean_loss(network, samples, loss):
    """Return C, averaged over the samples.

    Raises ValueError for a network or samples that train would refuse.
    """
    return batch_loss(network, check_samples(network, samples, loss), loss)


def batch_loss(network, batch, loss):
    """Return the mean C of a batch of samples already checked."""
    total = 0.0
    for inputs, targets in batch:
        activations, slopes = forward(network, inputs)
        total += loss(activations[-1], targets)[0]
    return total / len(batch)


def gradients(network, samples, loss):
    """Return (mean C, [[dC/dweights, dC/dbiases], ...]), by backpropagation.

    The nest has one entry per layer, and the lists in it have the shapes of
    the layer's weights and biases: dC/dweights[j][i], dC/dbiases[j].
    Backpropagation assumes two things about the loss.  As a whole, it is an
    average over samples, so that its gradient is the average of theirs, found
    one by one.  And the C of a sample is a function of its outputs (targets
    are given), so that their dC/da is all that backward needs to be told.
    Raises ValueError for a network or samples that train would refuse.
    """
    samples = check_samples(network, samples, loss)
    return batch_gradients(network, samples, loss)


def numerical_gradients(network, samples, loss, step=1e-5):
    """Return the nest that gradients gives, but by nudging every number.

    dC/dw is about (C(w + step) - C(w - step)) / (2 * step).  Nudging both ways
    pays off: the error is about step**2, not step.  But rounding adds about
    1e-16 / step to it, so a step far below 1e-5 makes it larger again.
    Leaves the network as it was, bit for bit.
    Raises ValueError for a network or samples that train would refuse, and for
    a step that is not a finite number above 0.
    """
    samples = check_samples(network, samples, loss)
    if not (is_finite(step) and step > 0):
        refuse("step", "a finite number above 0", step)

    def derivative(row, i):
        """Return dC/d row[i]; all other weights and biases stay put."""
        old = row[i]
        try:
            row[i] = old + step
            C_plus = batch_loss(network, samples, loss)
            row[i] = old - step
            C_minus = batch_loss(network, samples, loss)
        finally:
            row[i] = old
        return (C_plus - C_minus) / (2 * step)      # about dC/d row[i]

    return [[[[derivative(row, i) for i in range(len(row))]
              for row in weights],
             [derivative(biases, j) for j in range(len(biases))]]
            for weights, biases, f in network]


def gradient_check(network, samples, loss):
    """Return the relative difference of gradients and numerical_gradients.

    |g - n| / (|g| + |n|), where |v| is the root of the sum of squares of v.
    Below 1e-8 they agree as a whole, but a derivative much smaller than others
    may be wrong unnoticed.  Above 1e-4, one is wrong, or a z is within a nudge
    of the kink of relu or leaky_relu, where no slope is right (with biases 0,
    inputs or a layer below all 0 put it there); then try other samples or
    weights.  In between, it may also be rounding, if derivatives are tiny.
    Returns 0.0 if both gradients are zero.
    Raises ValueError for a network or samples that train would refuse.
    """
    samples = check_samples(network, samples, loss)     # read twice, so a list
    exact = parameter_rows(gradients(network, samples, loss)[1])
    nudged = parameter_rows(numerical_gradients(network, samples, loss))
    g = [number for row in exact for number in row]
    n = [number for row in nudged for number in row]
    difference = [g_i - n_i for g_i, n_i in zip(g, n)]          # g - n
    size = math.sqrt(sumprod(g, g)) + math.sqrt(sumprod(n, n))  # |g| + |n|
    if size == 0:
        return 0.0
    return math.sqrt(sumprod(difference, difference)) / size


def jacobian(network, inputs):
    """Return rows of d output_k / d input_i: one row per output k.

    They tell how much each input moves each output.  For each output k, there
    is one backward pass, with output k in place of C.
    Raises ValueError for a network or inputs that train would refuse.

    >>> jacobian([[[[2.0, 3.0]], [0.0], linear]], [1.0, 1.0])
    [[2.0, 3.0]]
    """
    check_network(network)
    inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
    activations, slopes = forward(network, inputs)
    n_out = len(slopes[-1])
    result = []
    for k in range(n_out):
        only_k = [0.0] * n_out
        only_k[k] = 1.0             # d output_k / da_j: 1 for j = k, else 0
        delta = backward(network, slopes, only_k)[0]
        # like the sum in (2): d output_k / dx_i = sum over j of w_ji * delta_j
        result.append([sumprod(column, delta)
                       for column in columns(network[0][0])])
    return result


# --- The demo: python backprop.py --------------------------------------------
#
# Nothing here is new; it is all of the above at work, for people to look at.
# The file ends with it, but for the checks of what comes in.

def demo():
    """Print a network being run, checked and trained."""
    demo_step()
    demo_gradient_check()
    demo_xor()


def demo_step():
    """Print one training step of the 2-2-2 network of many tutorials."""
    network = [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
               [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]
    inputs, targets = [0.05, 0.10], [0.01, 0.99]
    activations, slopes = forward(network, inputs)
    C, output_gradient = squared_error(activations[-1], targets)
    deltas = backward(network, slopes, output_gradient)

    print("""\
1. ONE TRAINING STEP, TO FOLLOW WITH A POCKET CALCULATOR
   Inputs x1 = 0.05, x2 = 0.10; hidden h1, h2; outputs o1, o2, targets 0.01,
   0.99.  Old w and b: column "old" of UPDATE.  In formulas, h1 means its a.
""", end="")
    demo_forward(network, activations, slopes)
    print("   Loss C = ((o1 - 0.01)**2 + (o2 - 0.99)**2) / 2 = %.9f" % C)
    demo_backward(network, slopes, output_gradient, deltas)
    demo_update(network, activations, deltas)
    C = squared_error(predict(network, inputs), targets)[0]
    print("""\
   Loss C with the new weights and biases = %.9f
   Notice: o1 was too high: w5, w6, b3 fall.  o2 was too low: w7, w8, b4 rise.
""" % C, end="")


def demo_forward(network, activations, slopes):
    """Print z, a and slope of every node, from h1 to o2."""
    print("   FORWARD  z = sum of w * a + b             a = sigmoid(z)   "
          "slope = a*(1-a)")
    formulas = [["w1*x1 + w2*x2 + b1", "w3*x1 + w4*x2 + b2"],
                ["w5*h1 + w6*h2 + b3", "w7*h1 + w8*h2 + b4"]]
    for index, names in [(0, ["h1", "h2"]), (1, ["o1", "o2"])]:
        weights, biases, f = network[index]
        for j in range(2):
            z = sumprod(weights[j], activations[index]) + biases[j]
            print("   %s  %s = %.9f       %.9f       %.9f" % (
                names[j], formulas[index][j], z, activations[index + 1][j],
                slopes[index][j]))


def demo_backward(network, slopes, output_gradient, deltas):
    """Print dC/da, slope and delta of every node, from the outputs down."""
    print("\n   BACKWARD  dC/da, with old weights             * slope      "
          "= delta (dC/dz)")
    hidden_gradient = [sumprod(column, deltas[1])
                       for column in columns(network[1][0])]
    formulas = [["w5*delta_o1 + w7*delta_o2", "w6*delta_o1 + w8*delta_o2"],
                ["o1 - 0.01", "o2 - 0.99"]]
    for index, names, dC_da in [(1, ["o1", "o2"], output_gradient),
                                (0, ["h1", "h2"], hidden_gradient)]:
        for j in range(2):
            print("   %s  %-25s = %12.9f * %.9f = %12.9f" % (
                names[j], formulas[index][j], dC_da[j], slopes[index][j],
                deltas[index][j]))


def demo_update(network, activations, deltas):
    """Print where sgd_step takes every weight and bias of that network."""
    print("""
   UPDATE with learning rate 0.5: dC/dw = delta * a, new = old - 0.5 * dC/dw
   w/b from -> to       delta             a   dC/dw, dC/db    old          new
""", end="")
    old = [[[list(row) for row in weights], list(biases)]
           for weights, biases, f in network]
    sgd_step(network, activations, deltas, 0.5)
    names = [["x1", "x2"], ["h1", "h2"], ["o1", "o2"]]
    line = "   %s%d  %s -> %s  %12.9f * %11.9f = %12.9f   %.2f   %11.9f"
    for index in range(2):
        (weights, biases), new = old[index], network[index]
        for j in range(2):
            to, delta = names[index + 1][j], deltas[index][j]
            for i in range(2):
                a = activations[index][i]
                print(line % ("w", 4 * index + 2 * j + i + 1, names[index][i],
                              to, delta, a, delta * a,
                              weights[j][i], new[0][j][i]))
            print(line % ("b", 2 * index + j + 1, " 1", to, delta, 1, delta,
                          biases[j], new[1][j]))


def demo_gradient_check():
    """Print for every activation and loss whether the gradients are right.

    The difference itself, about 1e-11, is not the same on every machine.
    """
    functions = [linear, sigmoid, tanh, relu, leaky_relu, swish]
    samples = [([0.5, -1.0, 2.0], [0.0, 1.0, 0.0]),
               ([-1.5, 0.3, 0.8], [0.7, 0.1, 0.2])]
    print("""
2. GRADIENT CHECK: THE SAME DERIVATIVES AS FROM NUDGING EACH WEIGHT?
   Relative difference; 3-5-4-3 networks, linear outputs for cross-entropies:
                          linear  sigmoid  tanh    relu    leaky_relu  swish
""", end="")
    for name, loss in [("squared_error", squared_error),
                       ("sigmoid_cross_entropy", sigmoid_cross_entropy),
                       ("softmax_cross_entropy", softmax_cross_entropy)]:
        words = [name]
        for f in functions:
            output = f if loss is squared_error else linear
            network = init_network([3, 5, 4, 3], [f, f, output], uniform(2))
            difference = gradient_check(network, samples, loss)
            words.append("< 1e-8" if difference < 1e-8 else "WRONG")
        print("   %-21s  %-7s %-8s %-7s %-7s %-11s %s" % tuple(words))
    print("   Notice: below 1e-8 is agreement; a wrong slope shows as far "
          "more.")


def demo_xor():
    """Print how a network learns XOR."""
    samples = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(5))
    before = [predict(network, inputs)[0] for inputs, targets in samples]
    losses = train(network, samples, squared_error, 1.0, epochs=240)
    after = [predict(network, inputs)[0] for inputs, targets in samples]

    print("""
3. XOR: A 2-4-1 NETWORK (TANH, SIGMOID) LEARNS IT FROM RANDOM WEIGHTS
   Mean loss per epoch, one visit to each sample; %.3f in the last epoch:"""
          % losses[-1])
    plot(losses)
    print("""\
   Notice: all outputs at 0.5 give 0.125.  The fall is slow to 0.09, then fast.
   The output over x1 and x2, drawn as 0 [ .:-=+*#%@] 1
""", end="")
    text = ["x1 x2  target  before  after"]
    for (x, t), old, new in zip(samples, before, after):
        text.append("%2d %2d  %4d    %6.3f %6.3f" % (
            x[0], x[1], t[0], old, new))
    text += ["", "Notice: no straight line", "could part the two corners",
             "of 1 from those of 0."]
    margin = ["x2 1"] + ["    "] * 7 + ["   0"]
    for label, line, words in zip(margin, draw(network), text):
        print(("   %s |%s|   %s" % (label, line, words)).rstrip())
    print("         0" + " " * 35 + "1 x1")


def plot(losses, width=60, height=5):
    """Print losses as a chart of so many columns and lines, from 0 up."""
    top = max(losses)
    for y in range(height, 0, -1):
        line = "   %6.3f |" % (top * y / height)
        for x in range(width):
            C = losses[x * len(losses) // width]
            line += "#" if C > top * (y - 0.5) / height else " "
        print(line.rstrip())
    print("    0.000 +" + "-" * width)
    print("    epoch  1%*d" % (width - 1, len(losses)))


def draw(network, width=37, height=9):
    """Return lines that picture an output from 0 to 1 over both inputs."""
    lines = []
    for y in range(height - 1, -1, -1):
        line = ""
        for x in range(width):
            inputs = [x / (width - 1), y / (height - 1)]
            output = predict(network, inputs)[0]
            line += " .:-=+*#%@"[min(int(output * 10), 9)]
        lines.append(line)
    return lines


# --- At the door: what is refused, with what words ---------------------------
#
# The lesson is over; this keeps mistakes from passing unnoticed.
# Each check raises a ValueError for what it refuses.  Samples, layers and
# nodes are counted from 0, as the items of lists are.

def refuse(what, expected, came):
    """Raise a ValueError that says what was expected and what came."""
    came = repr(came)
    if len(came) > 60:
        came = came[:57] + "..."
    raise ValueError("%s: expected %s, got %s" % (what, expected, came))


def is_finite(value):
    """Return whether the value is a number, and neither NaN nor infinite."""
    try:
        return math.isfinite(value)
    except (TypeError, OverflowError):      # no number at all, or 10**400
        return False


def check_list(what, values, expected):
    """Return the values as a list; refuse text, a single number, and so on."""
    if isinstance(values, (str, set, dict)):
        refuse(what, expected, values)
    try:
        return list(values)
    except TypeError:
        refuse(what, expected, values)


def check_length(what, values, expected):
    """Refuse a list of any other length than the expected one."""
    if len(values) != expected:
        raise ValueError("%s: expected length %d, got %d"
                         % (what, expected, len(values)))


def check_numbers(what, values, expected):
    """Return a list of floats, all finite and as many as expected."""
    values = check_list(what, values, "a list of length %d" % expected)
    check_length(what, values, expected)
    numbers = []
    for value in values:
        if not is_finite(value):
            refuse("%s[%d]" % (what, len(numbers)), "a finite number", value)
        numbers.append(float(value))
    return numbers


def check_activation(what, activation):
    """Refuse what does not return (a, da/dz), as math.tanh does not."""
    expected = "a function z -> (a, da/dz) like backprop.tanh"
    try:
        a, da_dz = activation(0.5)
    except (TypeError, ValueError):
        refuse(what, expected, activation)      # Python shows the cause too
    if not (is_finite(a) and is_finite(da_dz)):
        refuse(what, expected, activation)


def check_plan(sizes, activations, rng):
    """Return sizes and activations as lists, fit for init_network."""
    sizes = check_list("sizes", sizes, "a list")
    if len(sizes) < 2:
        refuse("sizes", "at least two, inputs and outputs", sizes)
    for size in sizes:
        if not (isinstance(size, int) and size > 0):
            refuse("sizes", "whole numbers above 0", size)
    activations = check_list("activations", activations, "a list")
    check_length("activations, one per layer after the inputs",
                 activations, len(sizes) - 1)
    for number, activation in enumerate(activations):
        check_activation("activations[%d]" % number, activation)
    check_rng(rng)
    return sizes, activations


def check_rng(rng):
    """Refuse what next() cannot be asked of."""
    if not hasattr(rng, "__next__"):
        refuse("rng", "a generator such as uniform(1)", rng)


def check_network(network):
    """Refuse a network that is ragged or whose layers do not fit together."""
    if not (isinstance(network, list) and network):
        refuse("network", "a list of layers", network)
    n_in = None                 # the first row of weights will tell
    for number, layer in enumerate(network):
        where = "layer network[%d]" % number
        if not (isinstance(layer, (list, tuple)) and len(layer) == 3):
            refuse(where, "[weights, biases, activation]", layer)
        weights, biases, activation = layer
        if not (isinstance(weights, list) and weights):
            refuse(where + " weights", "a list of rows", weights)
        for j, row in enumerate(weights):
            if not (isinstance(row, list) and row):
                refuse("%s weights[%d]" % (where, j), "a list", row)
            if n_in is None:
                n_in = len(row)
            check_numbers("%s weights[%d]" % (where, j), row, n_in)
        if not isinstance(biases, list):
            refuse(where + " biases", "a list", biases)
        check_numbers(where + " biases", biases, len(weights))
        check_activation(where + " activation", activation)
        n_in = len(weights)         # the next layer's rows are as long
    # [[0.0, 0.0]] * 3 is one row three times: a step in one is a step in all
    ids = [id(row) for row in parameter_rows(network)]
    if len(set(ids)) < len(ids):
        refuse("network", "a list of its own for every node", network)


def check_samples(network, samples, loss):
    """Return the samples as a list of (inputs, targets), lists of floats.

    Refuses a bad network, samples that do not fit it, and none at all.
    """
    check_network(network)
    if not callable(loss):
        refuse("loss", "a function (outputs, targets) -> (C, [dC/da])", loss)
    samples = check_list("samples", samples, "a list of (inputs, targets)")
    if not samples:
        refuse("samples", "at least one", samples)
    n_in, n_out = len(network[0][0][0]), len(network[-1][1])
    checked = []
    for number, sample in enumerate(samples):
        where = "samples[%d]" % number
        pair = check_list(where, sample, "a pair (inputs, targets)")
        if len(pair) != 2:
            refuse(where, "a pair (inputs, targets)", sample)
        checked.append((check_numbers(where + " inputs", pair[0], n_in),
                        check_numbers(where + " targets", pair[1], n_out)))
    return checked


def check_settings(learning_rate, epochs, batch_size, rng):
    """Refuse settings that train cannot work with."""
    if not (is_finite(learning_rate) and learning_rate > 0):
        refuse("learning_rate", "a finite number above 0", learning_rate)
    if not (isinstance(epochs, int) and epochs >= 0):
        refuse("epochs", "a whole number, 0 or more", epochs)
    if not (isinstance(batch_size, int) and batch_size > 0):
        refuse("batch_size", "a whole number, 1 or more", batch_size)
    if rng is not None:
        check_rng(rng)


def check_converging(network, mean_C, epoch):
    """Refuse to go on where training has run off to infinity."""
    if not (is_finite(mean_C) and all(all(map(math.isfinite, row))
                                      for row in parameter_rows(network))):
        raise ValueError(
            "training diverged in epoch %d: the loss or a weight is no longer "
            "a finite number; try a smaller learning_rate" % epoch)


if __name__ == "__main__":
    demo()
