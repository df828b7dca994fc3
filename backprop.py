"""Backpropagation in plain Python: lists, numbers, and the chain rule.

The question
    A neural network turns inputs into outputs by means of numbers, its weights
    and biases.  A loss C says in one number how far the outputs are from the
    targets.  To learn is to change every weight and bias so that C falls.  How
    much is each of them to blame for C?  The derivative dC/dw tells us: if w
    alone changes a little, C changes dC/dw times as much.  One could nudge w
    and watch C, but then every weight takes a pass or two through the network.
    Backpropagation finds all derivatives in one pass forward and one backward.

One node j, between the layer below (left) and the layer above (right)

    a_0 --- w_j0 --->+-----------------------------+--- w_0j ---> z_0 ---+
    a_1 --- w_j1 --->| z_j -------- f -------> a_j |                     +--> C
      1 --- b_j ---->+-----------------------------+--- w_1j ---> z_1 ---+

    dC/dw_j0 <- a_0 -+-----------------------------+<-- w_0j -- delta_0 <-+
    dC/dw_j1 <- a_1 -| delta_j <- slope -- dC/da_j |                      +-- C
    dC/db_j  <-- 1 --+-----------------------------+<-- w_1j -- delta_1 <-+

    Weights, slopes and a_i multiply, f is applied, and what enters z or dC/da
    is added up.  Why this is so, and how to be sure of it, is told below.

Notation
    x  input      w  weight     z  weighted sum     C  loss
    t  target     b  bias       a  activation       f  activation function
    i, j, k       a node in the layer below, in this layer, in the one above,
                  each layer counted from 0; below the first layer, a_i is x_i
    w_ji          the weight from node i to node j, the receiver first
    slope         da/dz of a node: how steep f is at its z
    delta         dC/dz of a node, its error: how fast C grows with its z
    gradient      a list of derivatives of C

The network is a plain list
    network = [[weights, biases, f], ...]    one entry per layer of nodes
    weights[j][i]    w_ji; a row for each node, as in torch.nn.Linear
    biases[j]        b_j
    f                the activation function of the layer: f(z) -> (a, da/dz)
    One node with two inputs is [[[[0.5, 0.5]], [-3.0], sigmoid]].  The inputs
    are no nodes: they have no entry here, no z, and no delta.

One idea carries the file: every activation function and every loss returns its
value and its derivative.  The forward pass keeps the slopes, the backward pass
multiplies by them.  A function of your own only has to do the same.

A network of 2 inputs, 4 nodes in between (hidden) and 1 output learns XOR: 1
where exactly one of two inputs is 1.  Samples are (inputs, targets) pairs:

    >>> xor = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    >>> network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    >>> losses = train(network, xor, squared_error, 1.0, epochs=1000)
    >>> [round(predict(network, inputs)[0]) for inputs, targets in xor]
    [0, 1, 1, 0]

Bad numbers and lengths in train, predict and so on raise a ValueError that
says where.  No weight has changed then; train keeps epochs that went well.

Sources
    The method: D. Rumelhart, G. Hinton, R. Williams, Nature 323 (1986).  The
    four equations: M. Nielsen, Neural Networks and Deep Learning (2015).  The
    first weights: Y. LeCun and others, Efficient BackProp (1998).  The random
    numbers: S. Park, K. Miller, Communications of the ACM 31 and 36 (1988/93).
"""

import math


# --- One node, and how wrong it is -------------------------------------------
#
# A node multiplies each input by a weight, adds a bias, and bends the sum z
# into its activation a.  Without the bend, layers of weighted sums would add
# up to just another weighted sum.  The loss then compares a with the target t.

def dot(p, q):
    """Return p[0] * q[0] + p[1] * q[1] + ..., the dot product."""
    n, total = len(p), 0.0
    if n != len(q):
        raise ValueError("dot: expected %d numbers, got %d" % (n, len(q)))
    for i in range(n):
        total += p[i] * q[i]
    return total


if hasattr(math, "sumprod"):    # from Python 3.12 on: faster, and rounded once
    dot = math.sumprod


def sigmoid(z):
    """Return (a, da/dz) of a = 1 / (1 + exp(-z)), between 0 and 1.

    da/dz = exp(-z) / (1 + exp(-z))**2, and as 1 - a = exp(-z) / (1 + exp(-z)),
    this is a * (1 - a).

    >>> sigmoid(0.0)
    (0.5, 0.25)
    """
    if z >= 0.0:
        a = 1.0 / (1.0 + math.exp(-z))
    else:                       # the same value, but exp cannot overflow here
        a = math.exp(z) / (1.0 + math.exp(z))
    return a, a * (1.0 - a)


def squared_error(outputs, targets):
    """Return (C, [dC/da, ...]) of C = half the sum of (a - t)**2.

    >>> squared_error([3.0, 1.0], [1.0, 1.0])
    (2.0, [2.0, 0.0])
    """
    check_length("targets", targets, len(outputs))
    C, gradient = 0.0, []
    for a, t in zip(outputs, targets):
        C += 0.5 * (a - t) * (a - t)
        gradient.append(a - t)          # dC/da, as the half cancels the 2
    return C, gradient


# --- The chain rule: one node, then two in a row -----------------------------
#
# One node with one input.  The way from w to C has three stages, each with a
# derivative.  The numbers are those of x = 0.5, w = 8, b = -4 and t = 1:
#     z = w * x + b         =  0         dz/dw = x              =  0.5
#     a = sigmoid(z)        =  0.5       da/dz = a * (1 - a)    =  0.25
#     C = (a - t)**2 / 2    =  0.125     dC/da = a - t          = -0.5
# Change w a little: z changes dz/dw times as much, a changes da/dz times as
# much as z, and C changes dC/da times as much as a.  So the three multiply:
#     dC/dw = dC/da * da/dz * dz/dw    = -0.5 * 0.25 * 0.5      = -0.0625
# It is negative: to lower C, raise w.  dC/da * da/dz is dC/dz, the node's
# delta, here -0.125.  Found once, it serves all weights that lead to the node,
# the bias (as dz/db is 1, dC/db is delta), and, as follows, the node below.
#
# Two nodes in a row.  Let the input 0.5 of that node be the activation of a
# hidden node h before it.  The node itself is now o, and its weight w_oh.  C
# depends on z_h by way of a_h and z_o, so that the chain has two more links,
# dz_o/da_h = w_oh and the slope da_h/dz_h:
#     delta_h = delta_o * w_oh * da_h/dz_h    = -0.125 * 8 * 0.25   = -0.25
# The delta of the node above, times the weight between, times the slope: that
# is backpropagation.  What remains is layers of several nodes, and so, sums.


# --- Forward: from the inputs to the outputs ---------------------------------

def forward(network, inputs):
    """Return (activations, slopes) of all layers, for one sample.

    activations  the inputs, then the a of every node, layer by layer, so that
                 activations[layer] are those that go into network[layer]
    slopes       da/dz of every node: slopes[layer][j]

    >>> network = [[[[0.5, 0.5]], [-3.0], sigmoid]]
    >>> forward(network, [4.0, 2.0])
    ([[4.0, 2.0], [0.5]], [[0.25]])
    """
    activations, slopes = [inputs], []
    for weights, biases, f in network:
        below = activations[-1]
        layer_activations, layer_slopes = [], []
        for j in range(len(weights)):
            z = dot(weights[j], below) + biases[j]      # sum of w_ji * a_i
            a, slope = f(z)
            layer_activations.append(a)
            layer_slopes.append(slope)
        activations.append(layer_activations)
        slopes.append(layer_slopes)
    return activations, slopes


# --- Backward: from the loss to the delta of every node ----------------------
#
# For every node, the last link of the chain from C down to z is its slope:
#     (1)  delta_j = dC/da_j * da_j/dz_j
# The loss gives dC/da_j of an output.  A hidden node has no target, but its
# a_j changes every z_k of the layer above.  Nudge a_j by a tiny e: each z_k
# moves by w_kj * e, and that alone moves C by delta_k * w_kj * e.  All of them
# together move C by the sum of these (apart from terms with e * e, too tiny to
# count).  Divided by e, this is
#     (2)  dC/da_j = sum over k of w_kj * delta_k

def send_back(weights, layer_deltas):
    """Return dC/da of every node below a layer with these weights and deltas.

    Forward, a node sums over its senders, a row of weights.  Backward, it sums
    over its receivers, a column; hence the transposed matrix in textbooks.
    Below the first layer are the inputs: there, this is dC/dx.

    >>> send_back([[3.0], [4.0]], [10.0, 100.0])    # 3 * 10 + 4 * 100
    [430.0]
    """
    dC_da = []
    for j in range(len(weights[0])):                    # each node j below
        total = 0.0
        for k in range(len(layer_deltas)):              # the nodes k above it
            total += weights[k][j] * layer_deltas[k]    # (2)
        dC_da.append(total)
    return dC_da


def backward(network, slopes, output_gradient):
    """Return deltas: deltas[layer][j] = dC/dz of node j of network[layer].

    slopes           from forward
    output_gradient  dC/da of each output, from the loss
    Changes nothing, so that a second call gives the same deltas.
    """
    check_length("output_gradient", output_gradient, len(network[-1][1]))
    deltas, dC_da = [], output_gradient
    for layer in range(len(network) - 1, -1, -1):       # from the last to 0
        layer_slopes, layer_deltas = slopes[layer], []
        for j in range(len(dC_da)):
            layer_deltas.append(dC_da[j] * layer_slopes[j])         # (1)
        deltas.insert(0, layer_deltas)          # in front of those above
        if layer > 0:
            dC_da = send_back(network[layer][0], layer_deltas)      # (2)
    return deltas


def backpropagate(network, inputs, targets, loss):
    """Return (C, activations, deltas) for one sample; changes nothing."""
    activations, slopes = forward(network, inputs)
    C, output_gradient = loss(activations[-1], targets)
    deltas = backward(network, slopes, output_gradient)
    return C, activations, deltas


# --- The gradient, and a step against it -------------------------------------
#
# Change w_ji a little: z_j changes a_i times as much, and C changes delta_j
# times as much as z_j.  Change b_j: z_j changes just as much.  Hence
#     (3)  dC/dw_ji = delta_j * a_i
#     (4)  dC/db_j  = delta_j
# Both stand in one function.  sgd_step learns with it, and gradients uses it,
# too.  So the check of gradients, further below, tests the lines that learn.

def add_gradient(parameters, activations, deltas, factor):
    """Add factor * dC/dw to every weight and factor * dC/db to every bias.

    parameters   a network, or lists like those of gradients; changed in place
    activations  of one sample, from backpropagate; its deltas likewise
    """
    for layer in range(len(deltas)):
        weights, biases = parameters[layer][0], parameters[layer][1]
        below, layer_deltas = activations[layer], deltas[layer]
        for j in range(len(layer_deltas)):
            row, change = weights[j], factor * layer_deltas[j]
            for i in range(len(row)):
                row[i] = row[i] + change * below[i]     # (3)  delta_j * a_i
            biases[j] = biases[j] + change              # (4)  delta_j


def sgd_step(network, activations, deltas, learning_rate):
    """Move every weight and bias against its derivative; return None.

    w_ji becomes w_ji - learning_rate * dC/dw_ji, in place.  (Texts that use
    t - a have this minus inside their delta, so they add.)  Such a step for
    one sample after another is SGD, stochastic gradient descent.  If small, it
    lowers the C of its own sample, but that of all samples only on average.
    No weight may move before all deltas are known, as (2) needs the weights
    that the forward pass used.  Checks nothing, for train calls it often.
    """
    add_gradient(network, activations, deltas, -learning_rate)


def gradients(network, samples, loss):
    """Return [[dC/dweights, dC/dbiases], ...], the mean over the samples.

    Each list is as long as the network's own.  These are the two nodes of the
    chain rule; the input 0.5, the weight 2 and the bias -1 make z_h = 0:

    >>> network = [[[[2.0]], [-1.0], sigmoid], [[[8.0]], [-4.0], sigmoid]]
    >>> gradients(network, [([0.5], [1.0])], squared_error)
    [[[[-0.125]], [-0.25]], [[[-0.0625]], [-0.125]]]
    """
    samples = check_samples(network, samples, loss)
    result = [[[[0.0] * len(row) for row in weights], [0.0] * len(biases)]
              for weights, biases, f in network]
    for inputs, targets in samples:
        C, activations, deltas = backpropagate(network, inputs, targets, loss)
        add_gradient(result, activations, deltas, 1 / len(samples))
    return result


# --- Is it right? ------------------------------------------------------------
#
# There is a second way to the gradient, slow but without any chain rule: nudge
# one weight, and watch C.  If both ways agree on every weight, trust them.  Do
# not trust a falling loss: some wrong gradients learn XOR, too.

def mean_loss(network, samples, loss):
    """Return the mean C of the samples."""
    total = 0.0
    for inputs, targets in check_samples(network, samples, loss):
        activations, slopes = forward(network, inputs)
        total += loss(activations[-1], targets)[0]
    return total / len(samples)


def parameter_rows(network):
    """Return all rows of weights and lists of biases, or of a gradient."""
    rows = []
    for layer in network:
        rows += layer[0]
        rows.append(layer[1])
    return rows


def copy_network(network):
    """Return the same network with lists of its own, numbers as floats."""
    return [[[list(map(float, row)) for row in weights],
             list(map(float, biases)), f] for weights, biases, f in network]


def numerical_gradients(network, samples, loss, nudge=1e-5):
    """Return the lists that gradients gives, found by nudging every number.

    dC/dw is about (C(w + nudge) - C(w - nudge)) / (2 * nudge).  Nudging both
    ways leaves an error of about nudge**2; one way would leave about nudge.
    Rounding adds about 1e-16 / nudge, so that a much smaller nudge is worse.
    """
    if not (all_finite([nudge]) and nudge > 0):
        refuse("nudge", "a finite number above 0", nudge)
    samples = check_samples(network, samples, loss)
    nudged, found = copy_network(network), copy_network(network)
    for row, derivatives in zip(parameter_rows(nudged), parameter_rows(found)):
        for i in range(len(row)):
            w = row[i]
            row[i] = w + nudge
            C_above = mean_loss(nudged, samples, loss)
            row[i] = w - nudge
            C_below = mean_loss(nudged, samples, loss)
            row[i] = w                                  # the others stay put
            derivatives[i] = (C_above - C_below) / (2 * nudge)
    return [[weights, biases] for weights, biases, f in found]


def gradient_check(network, samples, loss):
    """Return |g - n| / (|g| + |n|) of gradients g and numerical_gradients n.

    |v| is the root of the sum of squares of all numbers in v; if both are 0,
    the result is 0.0.  Below 1e-8, g and n agree as a whole, though a small
    derivative among large ones may be wrong.  A factor of 2 or 1/2 in all of g
    gives 1/3, a wrong sign 1.  But the result may be large with no mistake:
    within a nudge of the kink of relu, no slope is right; where g is almost 0,
    as at a minimum, or inputs are far from -1 to 1, n is not exact.

    Mistakes spread downward.  To find one, print both gradients row by row and
    begin at the last layer that differs.  Here node h has a wrong slope, 1:

    >>> def no_slope(z):
    ...     return sigmoid(z)[0], 1.0
    >>> network = [[[[2.0]], [-1.0], no_slope], [[[8.0]], [-4.0], sigmoid]]
    >>> problem = network, [([0.5], [1.0])], squared_error
    >>> print("%.2f" % gradient_check(*problem))
    0.58
    >>> g, n = gradients(*problem), numerical_gradients(*problem)
    >>> for g_row, n_row in zip(parameter_rows(g), parameter_rows(n)):
    ...     print(["%.4f" % d for d in g_row], ["%.4f" % d for d in n_row])
    ['-0.5000'] ['-0.1250']
    ['-1.0000'] ['-0.2500']
    ['-0.0625'] ['-0.0625']
    ['-0.1250'] ['-0.1250']
    """
    # the rows, added up, make one list of all numbers
    g = sum(parameter_rows(gradients(network, samples, loss)), [])
    n = sum(parameter_rows(numerical_gradients(network, samples, loss)), [])
    difference = [g_i - n_i for g_i, n_i in zip(g, n)]
    norms = math.sqrt(dot(g, g)) + math.sqrt(dot(n, n))     # |g| + |n|
    return math.sqrt(dot(difference, difference)) / norms if norms else 0.0


# --- The start: random weights -----------------------------------------------
#
# Learning has to begin somewhere, but not at zeros: nodes of a layer that
# start alike get the same deltas, take the same steps, and stay alike.  The
# same seed gives the same random numbers on every Python.

def park_miller(state):
    """Yield floats in (0, 1), from a whole state between 0 and 2**31 - 1."""
    while True:
        state = state * 48271 % (2**31 - 1)
        yield state / (2**31 - 1)


def uniform(seed):
    """Return an endless generator of floats in (0, 1); the seed is any int."""
    # States that are close together, or small multiples of each other, would
    # give related numbers.  So start far from 1, and scatter by a power.
    state = 1 + (check_whole("seed", seed, -math.inf) + 48271) % (2**31 - 2)
    return park_miller(state**17 % (2**31 - 1))


def init_network(sizes, functions, rng):
    """Return a new network [[weights, biases, f], ...] with random weights.

    sizes      inputs, then nodes per layer: [2, 4, 1], or with two hidden
               layers [2, 4, 4, 1] and three functions; nothing else changes
    functions  an activation function per layer after the inputs
    rng        a generator of floats in (0, 1): uniform(1)

    Biases are 0.  The weights of a node with n_in inputs are uniform within
    +-sqrt(3 / n_in), so that their mean square is 1 / n_in.  The sum z of n_in
    products w * a is then about as large as one a, however many there are.
    """
    sizes = [check_whole("sizes", size, 1) for size in sizes]
    if len(sizes) < 2:
        refuse("sizes", "at least two, inputs and outputs", sizes)
    check_length("functions", functions, len(sizes) - 1)
    for number, f in enumerate(functions):
        check_function("functions[%d]" % number, f)
    network = []
    for n_in, n_out, f in zip(sizes, sizes[1:], functions):
        limit = math.sqrt(3 / n_in)
        weights = [[limit * (2 * next(rng) - 1) for i in range(n_in)]
                   for j in range(n_out)]
        network.append([weights, [0.0] * n_out, f])
    return network


# --- Training: all of it, again and again ------------------------------------
#
# An epoch visits every sample once.  A batch is the samples that share a step:
# one ("online" or "stochastic" training), a few ("mini-batch") or all of them.
# Not every start leads to the goal.  Of the seeds 0 to 99, all learn XOR as at
# the top of this file, except 29: its steps shrink all weights to almost 0, so
# that every output is 0.50.  Learning rate 0.5 frees it; so may another seed.

def train_epoch(network, samples, loss, learning_rate, batch_size):
    """Take one step per batch, all samples once; return their mean loss."""
    total = 0.0
    for start in range(0, len(samples), batch_size):
        batch = samples[start:start + batch_size]
        # first all deltas, with the weights as they are; then 1/n of each step
        passes = []
        for inputs, targets in batch:
            passes.append(backpropagate(network, inputs, targets, loss))
        for C, activations, deltas in passes:
            total += C
            sgd_step(network, activations, deltas, learning_rate / len(batch))
    return total / len(samples)


def train(network, samples, loss, learning_rate,
          epochs=1, batch_size=1, rng=None):
    """Train the network in place; return the mean loss of each epoch.

    learning_rate  too large, and C grows; too small, and C creeps: try 1, 0.1
    batch_size     samples per step; the last batch may be smaller
    rng            uniform(2), say: it shuffles a copy of samples every epoch
    Each loss is found before the step that learns from it.  What counts in the
    end is the mean_loss of samples that were not trained on.
    """
    samples = check_samples(network, samples, loss)
    learning_rate, epochs, batch_size = check_settings(
        learning_rate, epochs, batch_size)
    trained, losses = copy_network(network), []
    for epoch in range(1, epochs + 1):
        if rng is not None:
            samples.sort(key=lambda sample: next(rng))  # by random keys
        # on the copy first, so that an epoch that fails changes nothing
        C = train_epoch(trained, samples, loss, learning_rate, batch_size)
        if not all_finite(sum(parameter_rows(trained), [C])):
            raise ValueError("training diverged in epoch %d: the loss or a "
                             "weight is no longer a finite number; try a "
                             "smaller learning_rate, or check the gradient "
                             "that the loss returns" % epoch)
        for row, new in zip(parameter_rows(network), parameter_rows(trained)):
            new[:] = list(map(float, new))  # whatever type the loss gives
            row[:] = new
        losses.append(float(C))
    return losses


def predict(network, inputs):
    """Return the outputs for one sample's inputs, one per output node."""
    try:
        inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
        outputs = forward(network, inputs)[0][-1]
        return check_numbers("outputs", outputs, len(outputs))
    except (IndexError, TypeError, ValueError):
        check_network(network)          # says more, if the network is at fault
        raise


# Here the lesson ends.  Whoever has come this far can build and check all of
# it.  More of the same kind follows, then a demo, then the checks of input.

# --- More activation functions, each z -> (a, da/dz) -------------------------

def linear(z):
    """Return (a, da/dz) of a = z, the function that changes nothing."""
    return z, 1.0


def tanh(z):
    """Return (a, da/dz) of a = tanh(z), between -1 and 1.

    This is a sigmoid, stretched: a = 2 * s - 1, where s is sigmoid at 2 * z.
    da/dz = 2 * s * (1 - s) * 2, and as s = (1 + a) / 2, this is 1 - a**2.

    For each layer on the way down, (2) and (1) multiply by weights and a
    slope.  Sigmoid's slope is at most 1/4, tanh's at most 1.  So in a deep
    network the lower deltas fade, most with sigmoid: "vanishing gradients".
    Here is the largest delta of each of ten layers, the lowest first:

    >>> for f in [sigmoid, tanh]:
    ...     network = init_network([4] * 11, [f] * 10, uniform(1))
    ...     C, activations, deltas = backpropagate(
    ...         network, [1.0] * 4, [0.0] * 4, squared_error)
    ...     print(" ".join(["%.0e" % max(map(abs, d)) for d in deltas]))
    6e-07 4e-06 1e-05 5e-05 2e-04 6e-04 3e-03 1e-02 4e-02 1e-01
    9e-03 8e-03 2e-02 3e-02 5e-02 1e-01 1e-01 3e-01 4e-01 4e-01
    """
    a = math.tanh(z)
    return a, 1.0 - a * a


def relu(z):
    """Return (a, da/dz) of a = 0 if z <= 0, else z.

    At the kink, z = 0, there is no derivative; 0 is a choice.  A node whose
    slope is 0 for every sample is dead: its weights learn no more.
    """
    return (0.0, 0.0) if z <= 0.0 else (z, 1.0)


def leaky_relu(z):
    """Return (a, da/dz) of a = 0.01 * z if z <= 0, else z: never dead."""
    return (0.01 * z, 0.01) if z <= 0.0 else (z, 1.0)


def swish(z):
    """Return (a, da/dz) of a = z * s, where s is sigmoid at z; or SiLU."""
    s, ds_dz = sigmoid(z)
    return z * s, s + z * ds_dz             # by the product rule


# --- Losses for probabilities, each -> (C, [dC/dz]) --------------------------
#
# -log(p) is 0 if the right answer has the probability p = 1, and grows without
# limit as p nears 0.  Both losses make p from the outputs z of a linear layer,
# called logits.  As a = z there, the dC/dz that they return is dC/da as well.
# It is p - t, with no slope in it: an output that is quite wrong learns fast,
# while squared_error on sigmoid would multiply by a slope near 0.

def sigmoid_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that each say yes or no.

    p = sigmoid(z)[0] is the probability of yes, t its target from 0 to 1:
        C = sum of (-t * log(p) - (1 - t) * log(1 - p))
        dC/dp = -t / p + (1 - t) / (1 - p) = (p - t) / (p * (1 - p))
        dC/dz = dC/dp * dp/dz = dC/dp * p * (1 - p) = p - t
    Later, [sigmoid(z)[0] for z in predict(network, inputs)] are the p.

    >>> C, gradient = sigmoid_cross_entropy([0.0], [1.0])
    >>> round(C, 6), gradient
    (0.693147, [-0.5])
    """
    check_probabilities("targets", targets, len(logits), sigmoid_cross_entropy)
    C, gradient = 0.0, []
    for z, t in zip(logits, targets):
        # With L = log(1 + exp(-z)), -log(p) is L, -log(1 - p) is z + L, and C
        # is z - t * z + L.  z + L is log(1 + exp(z)), too; so, safe at any z:
        C += max(z, 0.0) - t * z + math.log(1 + math.exp(-abs(z)))
        gradient.append(sigmoid(z)[0] - t)              # dC/dz = p - t
    return C, gradient


def softmax(logits):
    """Return probabilities p_j = exp(z_j) / (sum of exp(z)), which sum to 1.

    Each p_i depends on every z_j, so this is no activation function.  With the
    quotient rule, dp_i/dz_j = p_i * ((1 if i == j else 0) - p_j).

    >>> softmax([5.0, 5.0])
    [0.5, 0.5]
    """
    check_length("logits", logits, None)
    top = max(logits)           # minus top: the same p, but no exp overflows
    powers = [math.exp(z - top) for z in logits]
    total = sum(powers)
    return [power / total for power in powers]


def softmax_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that choose one class of several.

    With p = softmax(z) and targets that sum to 1, such as [0, 1, 0]:
        C = sum of (-t_i * log(p_i)) = log(sum of exp(z)) - (sum of t * z)
        dC/dp_i = -t_i / p_i
        dC/dz_j = sum over i of dC/dp_i * dp_i/dz_j
                = sum over i of -t_i * ((1 if i == j else 0) - p_j) = p_j - t_j
    The derivative of softmax is inside, so that no softmax layer is needed.
    Later, p = softmax(predict(network, inputs)); p.index(max(p)) is the class.

    >>> C, gradient = softmax_cross_entropy([0.0, 0.0], [1, 0])
    >>> round(C, 6), gradient
    (0.693147, [-0.5, 0.5])
    """
    check_probabilities("targets", targets, len(logits), softmax_cross_entropy)
    top = max(logits)           # minus top: the same C, but no exp overflows
    C, gradient = math.log(sum([math.exp(z - top) for z in logits])), []
    for z, t, p in zip(logits, targets, softmax(logits)):
        if t > 0:               # 0 adds 0, even if z - top is -inf
            C -= t * (z - top)
        gradient.append(p - t)                          # dC/dz_j = p_j - t_j
    return C, gradient


# --- How much each input matters ---------------------------------------------

def jacobian(network, inputs):
    """Return rows of d output_k / dx_i: one row per output k.

    There is one backward pass per output, with that output in place of C.

    >>> jacobian([[[[2.0, 3.0]], [0.0], linear]], [1.0, 1.0])
    [[2.0, 3.0]]
    """
    check_network(network)
    inputs = check_numbers("inputs", inputs, len(network[0][0][0]))
    activations, slopes = forward(network, inputs)
    rows = []
    for k in range(len(slopes[-1])):
        only_k = [0.0] * len(slopes[-1])
        only_k[k] = 1.0             # d output_k / da_j: 1 for j = k, else 0
        deltas = backward(network, slopes, only_k)
        rows.append(send_back(network[0][0], deltas[0]))
    return rows


# --- The demo: python backprop.py --------------------------------------------

def demo():
    """Show a network being computed, checked and taught."""
    demo_step()
    demo_check()
    demo_xor()


def demo_step():
    """Show one training step of the 2-2-2 network of many tutorials."""
    network = [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
               [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]
    old, samples = copy_network(network), [([0.05, 0.10], [0.01, 0.99])]
    activations, slopes = forward(network, samples[0][0])
    C, output_gradient = squared_error(activations[2], samples[0][1])
    deltas = backward(network, slopes, output_gradient)
    nodes = [(0, 0, "h1"), (0, 1, "h2"), (1, 0, "o1"), (1, 1, "o2")]

    print("""\
1. ONE TRAINING STEP, WITH A CALCULATOR IN HAND                     demo_step()
   Inputs 0.05 and 0.10, targets 0.01 and 0.99; hidden h1 h2, outputs o1 o2.
   Shown are six decimals; the last may differ by one from a calculator's.

   FORWARD   w * a + w * a + b = z                  a = sigmoid(z)  a*(1-a)""")
    for layer, j, name in nodes:
        (w, b, f), a = network[layer], activations[layer]
        print("   %s  %.2f*%.6f + %.2f*%.6f + %.2f = %.6f   %.6f   %.6f" % (
            name, w[j][0], a[0], w[j][1], a[1], b[j], dot(w[j], a) + b[j],
            activations[layer + 1][j], slopes[layer][j]))
    a, w, d = activations[2], network[1][0], deltas[1]
    print("""\
   C   ((%.6f - 0.01)**2 + (%.6f - 0.99)**2) / 2 = %.6f

   BACKWARD  dC/da * slope = delta; dC/da of o is a - target, that of h (2)"""
          % (a[0], a[1], C))
    terms = [["%.2f*%.6f + %.2f*%.6f" % (w[0][j], d[0], w[1][j], d[1])
              for j in [0, 1]], ["%.6f - 0.01" % a[0], "%.6f - 0.99" % a[1]]]
    dC_da = [send_back(w, d), output_gradient]
    for layer, j, name in nodes[2:] + nodes[:2]:
        print("   %s  %-31s = %9.6f * %.6f = %9.6f" % (
            name, terms[layer][j], dC_da[layer][j], slopes[layer][j],
            deltas[layer][j]))

    gradient = gradients(network, samples, squared_error)
    sgd_step(network, activations, deltas, 0.5)
    print("""
   UPDATE    dC/dw = delta * a, dC/db = delta; new = old - 0.5 * derivative
   from->to derivative  old       new       from->to derivative  old       new
""", end="")
    names = [("w1 x1->h1", "w2 x2->h1"), ("w3 x1->h2", "w4 x2->h2"),
             ("b1   ->h1", "b2   ->h2"), ("w5 h1->o1", "w6 h2->o1"),
             ("w7 h1->o2", "w8 h2->o2"), ("b3   ->o1", "b4   ->o2")]
    for name, d, v, w in zip(names, parameter_rows(gradient),
                             parameter_rows(old), parameter_rows(network)):
        print("   %s %9.6f  %.2f  %.6f     %s %9.6f  %.2f  %.6f" % (
            name[0], d[0], v[0], w[0], name[1], d[1], v[1], w[1]))
    print("   C is now %.6f; posts that leave b1 to b4 alone get 0.291028."
          % mean_loss(network, samples, squared_error))


def demo_check():
    """Show whether the derivatives are those that nudging finds."""
    network = [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
               [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]
    samples, losses = [([0.05, 0.10], [0.01, 0.99])], []
    for w5 in [0.41, 0.39]:
        network[1][0][0][0] = w5
        losses.append(mean_loss(network, samples, squared_error))
    print("""
2. IS IT RIGHT?  NUDGE A WEIGHT AND WATCH C                        demo_check()
   w5 = 0.41 makes C = %.9f, and w5 = 0.39 makes C = %.9f.
   Their difference, divided by 0.02, is the derivative above: %.6f.
   gradient_check does so with every weight.  Networks of 3-5-4-3 nodes:
                         linear  sigmoid tanh    relu    leaky   swish   wrong
""" % (losses[0], losses[1], (losses[0] - losses[1]) / 0.02), end="")

    def wrong(z):
        return tanh(z)[0], 1.0 - tanh(z)[0]

    samples = [([0.5, -1.0, 2.0], [0.0, 1.0, 0.0]),
               ([-1.5, 0.3, 0.8], [0.7, 0.1, 0.2])]
    for name, loss in [("squared_error", squared_error),
                       ("sigmoid_cross_entropy", sigmoid_cross_entropy),
                       ("softmax_cross_entropy", softmax_cross_entropy)]:
        line = "   %-22s" % name
        for f in [linear, sigmoid, tanh, relu, leaky_relu, swish, wrong]:
            network = init_network([3, 5, 4, 3], [f, f, linear], uniform(2))
            difference = gradient_check(network, samples, loss)
            line += "< 1e-8  " if difference < 1e-8 else "%.2f  " % difference
        print(line.rstrip())
    print("   wrong is tanh with the slope 1 - a, where 1 - a * a is right.")


def demo_xor():
    """Show how a network learns XOR."""
    samples = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    old = copy_network(network)
    losses = train(network, samples, squared_error, 1.0, epochs=180)

    print("""
3. XOR, LEARNED FROM RANDOM WEIGHTS                                  demo_xor()
   A 2-4-1 network, tanh and sigmoid, learning rate 1, one sample a step.
   # where the mean loss C of an epoch is above the number at left:""")
    for level in [0.15, 0.125, 0.1, 0.075, 0.05, 0.025]:
        line = "   %.3f |" % level
        for C in losses[::3]:
            line += "#" if C > level else " "
        print(line.rstrip())
    print("   0.000 +" + "-" * 60 + "\n   epoch  1%59d" % len(losses))

    text = ["", "x1 x2  target  before  after"]
    for x, t in samples:
        text.append("%2d %2d  %4d    %6.3f %6.3f" % (
            x[0], x[1], t[0], predict(old, x)[0], predict(network, x)[0]))
    text += ["mean loss C   %6.3f %6.3f" % (
        mean_loss(old, samples, squared_error),
        mean_loss(network, samples, squared_error)),
        "At left: the output over both", "inputs, 0 [ .:-=+*#%@] 1"]
    margin = ["x2 1"] + ["    "] * 7 + ["   0"]
    for y in range(9):
        line = "   %s |" % margin[y]
        for x in range(37):
            output = predict(network, [x / 36, 1 - y / 8])[0]
            line += " .:-=+*#%@"[min(int(output * 10), 9)]
        print((line + "|   " + text[y]).rstrip())
    print("         0" + " " * 35 + "1 x1")


# --- At the door: what is refused, and in what words -------------------------

def refuse(what, expected, came):
    """Raise a ValueError that says what was expected and what came."""
    came = repr(came)
    if len(came) > 60:
        came = came[:57] + "..."
    raise ValueError("%s: expected %s, got %s" % (what, expected, came))


def check_length(what, values, expected):
    """Refuse what has no length, or not the expected one, if there is one."""
    try:
        length = len(values)
    except TypeError:                   # a number, a zip, an endless generator
        refuse(what, "a list (list(...) may make one)", values)
    if length != expected and expected is not None:
        refuse(what, "length %d" % expected, length)


def all_finite(values):
    """Return whether the values are numbers, none of them NaN or infinite."""
    try:
        return all(map(math.isfinite, values))
    except (TypeError, OverflowError):          # no numbers at all, or 10**400
        return False


def check_numbers(what, values, expected):
    """Return a list of floats, all finite, as many as expected."""
    check_length(what, values, expected)
    if isinstance(values, (str, bytes, dict, set, frozenset)):
        refuse(what, "a list of numbers", values)
    if not all_finite(values):
        for i, value in enumerate(values):
            if not all_finite([value]):
                refuse("%s[%d]" % (what, i), "a finite number", value)
    return list(map(float, values))


def check_whole(what, value, least):
    """Return a whole number as an int, whether Python's or NumPy's."""
    try:
        range(value)                            # takes whole numbers only
    except TypeError:
        refuse(what, "a whole number", value)
    if value < least:
        refuse(what, "%d or more" % least, value)
    return int(value)


def check_function(what, f):
    """Refuse what does not return (a, da/dz), as math.tanh does not."""
    expected = "a function z -> (a, da/dz) like backprop.tanh"
    try:
        a, slope = f(0.5)
    except (TypeError, ValueError):
        refuse(what, expected, f)               # Python tells the cause, too
    if not all_finite([a, slope]):
        refuse(what, expected, f)


def check_network(network):
    """Refuse a network that is ragged, or whose layers do not fit together."""
    n_in = None                         # the first row of weights will tell
    for layer, parts in enumerate(network):
        where = "network[%d]" % layer
        check_length(where + ", [weights, biases, f]", parts, 3)
        weights, biases, f = parts
        for j, row in enumerate(weights):
            check_numbers("%s weights[%d]" % (where, j), row, n_in)
            n_in = len(row)
        check_numbers(where + " biases", biases, len(weights))
        n_in = len(weights)             # the next layer's rows are as long
        check_function(where + " f", f)
    rows = parameter_rows(network)
    if not (rows and all([isinstance(row, list) and row for row in rows])):
        refuse("network", "lists of at least one number", network)
    # [[0.0, 0.0]] * 3 is one row three times: a step in one is a step in all
    if len(set(map(id, rows))) < len(rows):
        refuse("network", "a list of its own for every node", network)


def check_probabilities(what, targets, expected, loss):
    """Refuse targets that are no probabilities, for a cross-entropy."""
    check_length(what, targets, expected)
    if not all([0 <= t <= 1 for t in targets]):
        refuse(what, "0 to 1", targets)
    if loss is softmax_cross_entropy and not abs(sum(targets) - 1) < 1e-6:
        refuse(what, "0 to 1 with sum 1", targets)


def check_samples(network, samples, loss):
    """Return a list of (inputs, targets), all floats, that fit the network."""
    check_network(network)
    n_in, n_out = len(network[0][0][0]), len(network[-1][1])
    check_length("samples", samples, None)
    checked = []
    for number, sample in enumerate(samples):
        where = "samples[%d]" % number
        check_length(where, sample, 2)
        checked.append((check_numbers(where + " inputs", sample[0], n_in),
                        check_numbers(where + " targets", sample[1], n_out)))
        if loss is sigmoid_cross_entropy or loss is softmax_cross_entropy:
            check_probabilities(where + " targets", sample[1], n_out, loss)
    if not checked:
        refuse("samples", "at least one", samples)
    return checked


def check_settings(learning_rate, epochs, batch_size):
    """Return the three as numbers; refuse what train cannot work with."""
    if not (all_finite([learning_rate]) and learning_rate > 0):
        refuse("learning_rate", "a finite number above 0", learning_rate)
    return (float(learning_rate), check_whole("epochs", epochs, 0),
            check_whole("batch_size", batch_size, 1))


if __name__ == "__main__":
    demo()
