"""Backpropagation in plain Python: lists, the math module, and the chain rule.

Today's chatbots, translators and readers of handwriting learned with this one
algorithm, whose only calculus is the chain rule.  You know Python and school
calculus?  Then read this file once, from top to bottom, and you'll be able to
derive backpropagation, and code it, without help.

This is where we're going.  Make a network with random weights, check that its
gradient is right, train it for 1,000 epochs (an epoch is one visit to every
sample) at the learning rate 1.0, which scales its steps, and use it:

    >>> network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    >>> gradient_check(network, XOR, squared_error) < 1e-8
    True
    >>> losses = train(network, XOR, squared_error, 1.0, epochs=1000)
    >>> [round(predict(network, inputs)[0]) for inputs, targets in XOR]
    [0, 1, 1, 0]

It has learned XOR: say 1 if exactly one of two inputs is 1.  To type these
lines yourself, begin with: from backprop import *.  To watch how it learns,
run the file: python3 backprop.py.

The problem
    A neural network turns inputs into outputs, using numbers we can adjust:
    its weights and biases.  A sample pairs inputs with targets, the outputs we
    want for them.  How far off is the network?  The loss C, also called the
    cost, says it in one number.  Learning means adjusting weights and biases
    until C is small.

    Why compute gradients?  Because we need to know, for each weight w, which
    way to move it and how much C cares.  Hold all the others still and nudge w
    a little: C moves dC/dw times as far.  This is a partial derivative, which
    says how much w is to blame for C.  Those for all weights and biases
    together are the gradient of C.  You could measure each one by nudging, at
    the price of a forward pass per weight.  Backpropagation gets them all from
    one pass forward and one pass back.

The algorithm, step by step
    A network is made of nodes, which stand in layers.  Every node computes one
    number, its activation, from the activations of the previous layer.  You
    start with given weights, biases, inputs and targets.

    1. Forward pass, or forward propagation: from the inputs on, compute the
       activation of every node, layer after layer.  The last layer's
       activations are the outputs.
    2. Loss function: compute C, and its derivative for every output.
    3. Backward pass: propagate the total loss back into the network, from the
       outputs to the first layer, to find out how much of it every node is
       responsible for.  The node's delta says it: how far C moves when the
       sum inside the node is nudged.
    4. Gradient: from the deltas, compute the partial derivative of C for every
       weight and bias.  Over several samples (a mini-batch), average.
    5. Gradient descent, or a variant of it: move every weight and bias a
       little against its derivative, because that is where C falls.

    Steps 1 to 4 compute the gradient, which is what backpropagation is for.
    Step 5 uses it, and then all five are repeated.

The network is a plain list
    network = [[weights, biases, f], ...]    one entry for each layer of nodes
    weights[j][i]    from node i of the previous layer to node j of this one:
                     every node has a row of weights
    biases[j]        one for each node
    f                the layer's activation function

    Every node receives from the whole previous layer: the layers are dense.
    The inputs compute nothing, have no entry and don't count, so [2, 4, 1]
    above has 2 inputs but two layers: 4 hidden nodes (neither inputs nor
    outputs) and 1 output.  A network is deep if several layers are hidden.

One idea throughout: every value brings its derivative along
    f(z)                                       ->  (a, da/dz)
    loss(outputs, targets)                     ->  (C, [dC/da, ...])
    loss_and_gradient(network, samples, loss)  ->  (C, [[dC/dw, dC/db], ...])

    A function f or a loss of your own only has to return such a pair.
"""

import math

# four samples, each (inputs, targets)
XOR = [([0, 0], [0]), ([0, 1], [1]), ([1, 0], [1]), ([1, 1], [0])]


# --- One node ----------------------------------------------------------------
# A node multiplies each number that arrives by a weight, adds up the products,
# adds a bias, and sends the sum z through its activation function f:
#
#   a_0 ---- w_0 ---+
#   a_1 ---- w_1 ---+--> z ---- f ----> a        z = w_0 * a_0 + w_1 * a_1 + b
#     1 ----- b ----+                            a = f(z)
#
# Why not leave f out?  Then a would be a weighted sum, and weighted sums of
# weighted sums are still weighted sums: ten layers could do no more than one.
# So in a hidden layer f must bend somewhere.  Why not a step?  We'll nudge z
# and watch a, which moves da/dz times as far: f's slope.  A step has slope 0
# wherever it has one, and nothing could be learned from it.  Common choices
# are ReLU, leaky ReLU, tanh, the sigmoid and Swish; layers can differ.
#
# Why not a single node?  If f only rises, a node with two inputs says yes on
# one side of a straight line, where z is large, and no on the other; the bias
# moves the line away from the origin.  XOR wants yes at two opposite corners
# of a square and no at the other two.  Try to draw that line!  You'll need
# two, which is what a hidden layer is for: each of its nodes can draw one.

def dot(p, q):
    """Return p[0] * q[0] + p[1] * q[1] + ..., the dot product.

    >>> dot([1.0, 2.0], [10.0, 100.0])
    210.0
    """
    n, total = len(p), 0.0
    if n != len(q):
        raise ValueError("dot: %d and %d numbers" % (n, len(q)))
    for i in range(n):
        total += p[i] * q[i]
    return total


if hasattr(math, "sumprod"):    # since Python 3.12: faster on long rows
    dot = math.sumprod


def sigmoid(z):
    """Return (a, da/dz) of a = 1 / (1 + exp(-z)), between 0 and 1.

    Calculus gives da/dz = exp(-z) / (1 + exp(-z))**2.  That is a * (1 - a),
    because exp(-z) / (1 + exp(-z)) is 1 - a.

    >>> sigmoid(0.0)
    (0.5, 0.25)
    """
    if z >= 0:
        a = 1 / (1 + math.exp(-z))
    else:                   # the same, but exp can't overflow
        a = math.exp(z) / (1 + math.exp(z))
    return a, a * (1 - a)


def tanh(z):
    """Return (a, da/dz) of a = tanh(z), between -1 and 1.

    This is a stretched sigmoid: a = 2 * s - 1, where s = sigmoid(2 * z)[0].
    So da/dz = 2 * s * (1 - s) * 2, and s = (1 + a) / 2 makes it 1 - a**2.

    >>> tanh(0.0)
    (0.0, 1.0)
    """
    a = math.tanh(z)
    return a, 1 - a * a


# --- Step 2, the loss: how wrong is it? --------------------------------------
# Step 2 before step 1?  One node is enough to be wrong, and we'll soon follow
# a nudge all the way to the loss.  The squared error is the plainest one.

def squared_error(outputs, targets):
    """Return (C, [dC/da, ...]) of C = half the sum of (a - t)**2.

    The half cancels the 2 that the derivative brings: dC/da is just a - t.

    >>> squared_error([3.0, 1.0], [1.0, 1.0])
    (2.0, [2.0, 0.0])
    """
    if len(outputs) != len(targets):
        raise ValueError("expected %d targets, got %d"
                         % (len(outputs), len(targets)))
    C, dC_da = 0.0, []
    for a, t in zip(outputs, targets):
        C += 0.5 * (a - t) * (a - t)
        dC_da.append(a - t)
    return C, dC_da


# --- The chain rule: one node, then two in a row -----------------------------
# Let's follow one node with one input x.  Three stages lead from w to C:
#   >>> x, w, b, t = 0.5, 8.0, -4.0, 1.0
#   >>> z = w * x + b
#   >>> a = sigmoid(z)[0]
#   >>> C = 0.5 * (a - t)**2
#   >>> z, a, C
#   (0.0, 0.5, 0.125)
# Every stage has a derivative: dC/da, da/dz and dz/dw.  What does the last one
# mean?  It asks how far z, the input of the sigmoid, moves with w alone.  "The
# remaining terms are treated as constants," textbooks say: b stays put, and
# w * x moves x times as far as w.  So dz/dw, our last factor, is x.
#   >>> dC_da, da_dz, dz_dw = a - t, a * (1 - a), x
#   >>> dC_da, da_dz, dz_dw
#   (-0.5, 0.25, 0.5)
# Now nudge w.  The sum z moves x = 0.5 times as far as w, the activation a
# about 0.25 times as far as z, and C about -0.5 times as far as a.  So how far
# does C move when w does?  Multiply the three factors.  That's the chain rule,
# and you have just derived it; a proof only adds that the error in "about"
# vanishes beside a small nudge.
#   >>> dC_da * da_dz * dz_dw           # dC/dw
#   -0.0625
# It is negative, so C falls as w grows.  Before you read on: what is dC/db?
#
# The first two factors stay the same, and dz/db is 1, so dC/db is their
# product, -0.125.  This is dC/dz, the node's delta.  It serves w and b alike,
# and it has a third use.  Suppose x = 0.5 isn't an input but the activation of
# another node, h, whose z is 0.  That adds two links to the chain: dz/da_h,
# which is w, and h's slope da_h/dz_h.
#   >>> delta = dC_da * da_dz
#   >>> slope_h = sigmoid(0.0)[1]
#   >>> delta, delta * w * slope_h      # of our node, and of h before it
#   (-0.125, -0.25)
# The next node's delta, times the weight between, times h's own slope: that's
# backpropagation.  Layers with several nodes will add just one thing, a sum.


# --- Step 1, forward: from the inputs to the outputs -------------------------
# With many nodes we need indices.  From now on, j is a node in this layer, i
# one in the previous layer and k one in the next; each layer counts from 0.
# The weight w_ji leads from i to j, receiver first, as in weights[j][i]:
#     z_j = (sum over i of w_ji * a_i) + b_j        a_j = f(z_j)
# One layer's activations are the next layer's inputs.  Draw an arrow from
# every number to the numbers computed from it, and you have the computational
# graph.  Forward means along its arrows.

def forward(network, inputs):
    """Return (activations, slopes) of all layers for one sample.

    activations  the inputs, then every a, layer by layer: activations[layer]
                 goes into network[layer], and activations[-1] are the outputs
    slopes       da/dz of every node: slopes[layer][j]

    >>> network = [[[[0.5, 0.5]], [-3.0], sigmoid]]     # two inputs, one node
    >>> forward(network, [4.0, 2.0])
    ([[4.0, 2.0], [0.5]], [[0.25]])
    """
    activations, slopes = [inputs], []
    for weights, biases, f in network:
        previous = activations[-1]
        layer_activations, layer_slopes = [], []
        for row, b_j in zip(weights, biases):
            z_j = dot(row, previous) + b_j
            a_j, slope_j = f(z_j)
            layer_activations.append(a_j)
            layer_slopes.append(slope_j)
        activations.append(layer_activations)
        slopes.append(layer_slopes)
    return activations, slopes


def predict(network, inputs):
    """Return the outputs for the inputs of one sample."""
    activations, slopes = forward(network, inputs)
    return activations[-1]


# --- Steps 3 and 4, backward: from the loss to every weight ------------------
# Now we walk against the arrows, to find every node's delta, dC/dz.  For an
# output, the loss hands us dC/da, which the chain rule turns into dC/dz:
#     (1)  delta_j = dC/da_j * slope_j
#
# But a hidden node has no target, so where does its dC/da come from?  Most
# people find this the hard part.  Let's look at h1, one of the hidden nodes
# the demo draws (its nodes count from 1).  It sends its activation to two
# outputs: to o1 with the weight 0.40 and to o2 with 0.50.  We already know
# their deltas, 0.1385 and -0.0381.  Nudge h1's activation by 0.01 and follow
# both wires:
#     o1: z moves 0.40 * 0.01 = 0.004, and C moves  0.1385 * 0.004 =  0.0005540
#     o2: z moves 0.50 * 0.01 = 0.005, and C moves -0.0381 * 0.005 = -0.0001905
#     both:                            and C moves                    0.0003635
# That is 0.03635 times as far as the nudge, so h1's dC/da is 0.03635, or
# 0.40 * 0.1385 + 0.50 * -0.0381.  Its slope is 0.2413, and (1) makes it a
# delta: 0.03635 * 0.2413 = 0.0088.  In letters, for any hidden node j:
#     (2)  dC/da_j = sum over k of w_kj * delta_k
# a_j moves z_k w_kj times as far, and z_k moves C delta_k times as far again.
# Why add the effects, rather than average them or pick the largest?  Because
# a_j goes down all wires at once: every one of these moves happens, and small
# moves add up.  (What one move does to another is a nudge of a nudge, which
# vanishes.)  Textbooks call (2) a case of the multivariable chain rule.  A
# weight that is used in several places works the same way: add up its uses.
#
# One link is left: from the node to its weights and its bias.  Before you read
# on: how far does z_j move when you nudge w_ji?  It moves a_i times as far:
# dz_j/dw_ji is a_i, and dz_j/db_j is 1.  Multiply each by delta_j:
#     (3)  dC/dw_ji = delta_j * a_i
#     (4)  dC/db_j  = delta_j
# (3) is what we came for: the derivative of the cost with respect to a layer's
# weights.  Textbooks call a layer's deltas its layer error, and often give
# three formulas: (1) for the outputs, (2) put into (1) for a hidden layer,
# which makes delta_j = slope_j * (sum over k of w_kj * delta_k), and (3).
#
# What's inside such a derivative?  Take the weight from x1 = 0.05 to h1, and
# write out both paths from C, with the demo's numbers:
#     dC/da of o   slope of o   w_kj   slope of h1     x1
#        0.7414  *   0.1868   * 0.40  *   0.2413   *  0.05       by way of o1
#     + -0.2171  *   0.1755   * 0.50  *   0.2413   *  0.05       by way of o2
#     =  0.00044
# Each path is a product of derivatives between layers, evaluated from the
# output backwards, and the derivative is their sum.  Although every layer
# multiplies the number of paths, (1) and (2) never walk a stretch twice: where
# paths meet, they are added up and sent on as one number, delta.
#
# Here's the node from the first drawing, seen from behind.  On an arrow, you
# multiply by its label; where arrows meet, you add:
#
#   dC/dw_j0 <--- a_0 ---+                               +--- w_0j <--- delta_0
#   dC/dw_j1 <--- a_1 ---+--- delta_j <- slope - dC/da_j +--- w_1j <--- delta_1
#   dC/db_j  <---- 1 ----+

def send_back(weights, deltas):
    """Return dC/da of every node in the previous layer, using (2).

    Forward, a node sums over its row of weights; backward, over a column: the
    weights by which it sends.  zip(*weights) is the textbooks' transpose.

    >>> send_back([[2.0, 3.0, 4.0],     # 520 is 2 * 10 + 5 * 100
    ...            [5.0, 7.0, 9.0]], [10.0, 100.0])
    [520.0, 730.0, 940.0]
    """
    return [dot(column, deltas) for column in zip(*weights)]


def backward(network, activations, slopes, dC_da):
    """Return the gradient of one sample, [[dC/dweights, dC/dbiases], ...].

    forward supplies activations and slopes, the loss the outputs' dC_da.  The
    gradient has the network's shape, without f.  Because of (4), its
    gradient[layer][1] are also the deltas.  Nothing moves yet, since (2) needs
    the old weights.

    Here are our two nodes in a row, where w = 2 and b = -1 give h its z of 0:

    >>> network = [[[[2.0]], [-1.0], sigmoid], [[[8.0]], [-4.0], sigmoid]]
    >>> activations, slopes = forward(network, [0.5])
    >>> backward(network, activations, slopes, [-0.5])
    [[[[-0.125]], [-0.25]], [[[-0.0625]], [-0.125]]]
    """
    gradient = []
    for layer in reversed(range(len(network))):
        deltas, dC_dw = [], []
        for dC_da_j, slope_j in zip(dC_da, slopes[layer]):
            delta_j = dC_da_j * slope_j                   # (1)
            deltas.append(delta_j)
            dC_dw.append([delta_j * a_i                   # (3)
                          for a_i in activations[layer]])
        dC_db = deltas                                    # (4)
        gradient.insert(0, [dC_dw, dC_db])
        if layer > 0:
            dC_da = send_back(network[layer][0], deltas)  # (2)
    return gradient


# How much work is it?  Forward, each weight needs one multiplication; on the
# way back, two at most, one in (2) and one in (3).  Every a and slope is
# needed again, stored or recomputed.  We store them for one sample at a time,
# so this memory grows with the number of nodes but not with the batch.
#
# Why backward?  We could also carry derivatives along from the inputs to the
# outputs (forward mode), but that takes a pass for every weight.  Our way,
# reverse mode automatic differentiation, takes a pass for every result, of
# which we have just one: C.  Any C will do that has a derivative.
#
# Who found it?  Several people.  Henry Kelley computed gradients backwards in
# optimal control (1960).  Seppo Linnainmaa gave the general method, while
# asking how rounding errors grow (1970).  Paul Werbos saw what it could do for
# models that learn (1974, 1982), and David Rumelhart, Geoffrey Hinton and
# Ronald Williams made it famous (Nature 323, 1986).  The four equations follow
# Michael Nielsen's book, Neural Networks and Deep Learning (2015).


# --- Step 4 for several samples: the mean gradient ---------------------------
# Two assumptions about the loss make it this easy.  First, it is a mean over
# single training examples.  Its gradient is then the mean of theirs, we can
# work through one sample at a time, and for a mini-batch of n samples
#     dC/dw_ji = (sum over the samples of delta_j * a_i) / n
# Second, the loss is a function of the network's outputs (the targets are
# constants), so the way back can start there, at dC/da.

def parameters(network):
    """Return the rows of weights and the biases of all layers, in one list.

    They are the lists of the network, or of a gradient, and not copies.

    >>> parameters([[[[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0], tanh]])
    [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    """
    rows = []
    for entry in network:
        rows += entry[0]
        rows.append(entry[1])
    return rows


def loss_and_gradient(network, samples, loss):
    """Return (C, gradient), each of them the mean over the samples.

    Here one sample wants w to grow and the other wants it to shrink as much:

    >>> network = [[[[8.0]], [-4.0], sigmoid]]
    >>> samples = [([0.5], [1.0]), ([0.5], [0.0])]
    >>> loss_and_gradient(network, samples, squared_error)
    (0.125, [[[[0.0]], [0.0]]])
    """
    n, C_mean, mean = len(samples), 0.0, None
    for inputs, targets in samples:
        activations, slopes = forward(network, inputs)  # step 1
        C, dC_da = loss(activations[-1], targets)       # step 2
        # (1) to (4) only multiply and add: 1/n passes through
        dC_da = [dC_da_j / n for dC_da_j in dC_da]
        gradient = backward(network, activations, slopes, dC_da)
        C_mean += C / n
        if mean is None:
            mean = gradient
        else:
            pairs = zip(parameters(mean), parameters(gradient))
            for row, new in pairs:
                for i in range(len(row)):
                    row[i] += new[i]
    return C_mean, mean


# --- Step 5: gradient descent ------------------------------------------------
# Picture C as a valley over w.  Which way is down?
#
#   C |  \                   /
#     |   o-->           <--o        on the left,  dC/dw < 0: move w right
#     |    `-._        _.-'          on the right, dC/dw > 0: move w left
#     |        `--..--'
#     +--------------------------> w
#
# The update rule w - learning_rate * dC/dw gets both right: subtract a
# negative number, and w grows.  It moves w further where the valley is
# steeper.  Two numbers determine the level of adjustment: the derivative, and
# the learning rate, a positive number you choose.  Gradient descent has
# variants.  Stochastic gradient descent (SGD) uses the gradient of a random
# sample or mini-batch instead of all samples', while momentum keeps some of
# the last step.
#
# Do we always find the lowest point?  No.  The squared error is a parabola in
# each output, but not in the weights: those of different layers multiply each
# other, and an f that bends lies between.  So C can have several valleys
# (local minima), plateaus and saddles.
#
# Each derivative says "if only w moves".  So why can we move all weights at
# once?  A small move of one w changes C by about dC/dw times -learning_rate *
# dC/dw.  Small moves add up, as in (2), so C falls by about learning_rate
# times the sum of all squared derivatives.  Large moves don't, and C can rise.

def sgd_step(network, gradient, learning_rate):
    """Move every weight and bias against its derivative; return None.

    The network is changed in place.  To keep a layer as it is, set its part of
    the gradient to 0 first.  For momentum, pass a running sum instead of the
    gradient: 0.9 times the last sum, plus the new gradient.

    >>> network = [[[[8.0]], [-4.0], sigmoid]]
    >>> sgd_step(network, [[[[-0.5]], [0.25]]], learning_rate=2.0)
    >>> network[0][:2]
    [[[9.0]], [-4.5]]
    """
    pairs = zip(parameters(network), parameters(gradient))
    for row, dC_drow in pairs:
        for i in range(len(row)):
            row[i] -= learning_rate * dC_drow[i]


# Now you have it all.  Given a network, four lines teach it XOR:
#   >>> network = [[[[0.5, -0.5], [-0.5, 0.5]], [0.0, 0.0], tanh],
#   ...            [[[0.5, 0.5]], [0.0], tanh]]
#   >>> for epoch in range(1000):
#   ...     for sample in XOR:
#   ...         C, g = loss_and_gradient(network, [sample], squared_error)
#   ...         sgd_step(network, g, 0.1)
#   >>> ["%.2f" % predict(network, inputs)[0] for inputs, targets in XOR]
#   ['0.00', '0.96', '0.96', '0.00']


# --- Is it right? ------------------------------------------------------------
# Don't trust a falling loss: some wrong gradients teach XOR, too.  What you
# can trust is a second way to the gradient, slow but free of any chain rule:
# nudge a weight and watch C.  If both ways agree, the gradient is right, at
# least for these weights and samples, and for the loss that the code computes.

def mean_loss(network, samples, loss):
    """Return the mean C of the samples."""
    return sum([loss(predict(network, inputs), targets)[0]
                for inputs, targets in samples]) / len(samples)


def numerical_gradient(network, samples, loss, nudge=1e-5):
    """Return the gradient, measured by nudging every weight and every bias.

    dC/dw is about (C(w + nudge) - C(w - nudge)) / (2 * nudge).  This misses by
    about nudge**2; nudging only one way would miss by about nudge.  Why not
    nudge much less?  Because rounding adds about 1e-16 / nudge.  (In single
    precision that's 1e-7 / nudge, which hides all but the worst mistakes.)
    """
    twin = [[[list(row) for row in weights], list(biases), f]
            for weights, biases, f in network]      # yours stays as it is

    def measure(row):
        dC_drow = []
        for i in range(len(row)):
            w = row[i]
            row[i] = w + nudge
            right = mean_loss(twin, samples, loss)
            row[i] = w - nudge
            left = mean_loss(twin, samples, loss)
            row[i] = w
            dC_drow.append((right - left) / (2 * nudge))
        return dC_drow

    return [[[measure(row) for row in weights], measure(biases)]
            for weights, biases, f in twin]


def gradient_check(network, samples, loss):
    """Return |g - n| / (|g| + |n|) for the gradient g and the numerical n.

    |v| is the root of the sum of v's squares.  Below 1e-8, g and n agree as a
    whole.  Twice the right gradient gives 1/3, the opposite gives 1.  Three
    things can make even a right g look wrong: a nudge across relu's kink
    (where it bends), a g of almost 0, where n is mostly rounding, and inputs
    in the hundreds, which turn a small nudge of w into a large one of z.

    Is the result large?  Print loss_and_gradient's gradient beside that of
    numerical_gradient.  A wrong delta spoils every layer before it, so look at
    the last layer in which they differ.  Below, it's the first layer, where
    no_slope gets its slope wrong:

    >>> def no_slope(z):
    ...     return sigmoid(z)[0], 1.0
    >>> network = [[[[2.0]], [-1.0], no_slope], [[[8.0]], [-4.0], sigmoid]]
    >>> samples = [([0.5], [1.0])]
    >>> print("%.2f" % gradient_check(network, samples, squared_error))
    0.58
    """
    samples = check(network, samples, loss)
    C, gradient = loss_and_gradient(network, samples, loss)
    numerical = numerical_gradient(network, samples, loss)
    g = [d for row in parameters(gradient) for d in row]
    n = [d for row in parameters(numerical) for d in row]
    difference = [g_i - n_i for g_i, n_i in zip(g, n)]
    norms = math.sqrt(dot(g, g)) + math.sqrt(dot(n, n))     # |g| + |n|
    return math.sqrt(dot(difference, difference)) / norms if norms else 0.0


# --- The start: random weights -----------------------------------------------
# Where should the weights start?  Not all at the same value: hidden nodes of a
# layer that start alike get the same deltas, take the same steps and stay
# alike, as if there were just one.  So we draw the weights at random, from a
# generator that gives the same numbers for the same seed on every computer.

def uniform(seed):
    """Yield floats in (0, 1) without end; the seed is any int.

    This is the "minimal standard" generator of S. Park and K. Miller, with the
    multiplier of 1993 (Communications of the ACM 31, 1988, and 36).
    """
    # seeds 1, 2, 3 would give related numbers; their 17th powers don't
    state = (1 + (seed + 48271) % (2**31 - 2))**17 % (2**31 - 1)
    while True:
        state = state * 48271 % (2**31 - 1)
        yield state / (2**31 - 1)


def init_network(sizes, functions, rng):
    """Return a new network [[weights, biases, f], ...] with random weights.

    sizes      how many inputs, then how many nodes in each layer: [2, 4, 1]
    functions  an activation function for each layer of nodes
    rng        a generator of floats in (0, 1), such as uniform(1)

    Biases start at 0.  The weights of a node with n_in inputs are uniform
    within +-sqrt(3 / n_in), which makes the mean of their squares 1 / n_in and
    keeps z about as large as one a, however many it adds up (Yann LeCun and
    others, Efficient BackProp, 1998).  relu zeroes about half of the
    activations, so with it people use +-sqrt(6 / n_in), which has the variance
    of the normal distribution of Kaiming He and others (2015), 2 / n_in.
    """
    if len(functions) != len(sizes) - 1:
        raise ValueError("functions: expected %d, one for each layer, got %d"
                         % (len(sizes) - 1, len(functions)))
    network = []
    for n_in, n_out, f in zip(sizes, sizes[1:], functions):
        limit = math.sqrt(3 / n_in)
        weights = [[limit * (2 * next(rng) - 1) for i in range(n_in)]
                   for j in range(n_out)]
        network.append([weights, [0.0] * n_out, f])
    return network


# --- Training: the five steps, again and again -------------------------------
# These are the four lines from above, plus batches, a random order and checks.
# The samples of a batch share one step against their mean gradient.  A batch
# can be a single sample, a few of them (a mini-batch), or all.  A small step
# lowers its batch's loss, and on average that of all samples too, as long as
# we draw the batches at random.  (With a fixed order, training is incremental
# rather than stochastic.)

def train(network, samples, loss, learning_rate,
          epochs=1, batch_size=1, rng=None):
    """Train the network in place; return the mean loss of each epoch.

    learning_rate  too large, and C grows; too small, and C hardly falls: try
                   1, 0.1, 0.01
    batch_size     how many samples share a step; the last batch can be smaller
    rng            a generator such as uniform(2), which gives every epoch a
                   new order of samples (your list stays as it is)

    Before the first step, check, at the file's end, refuses what doesn't fit.
    A batch's loss is computed before its own step; if it isn't finite, train
    raises a ValueError instead.  If you press Ctrl-C, the network keeps the
    steps so far.  To judge it, use mean_loss on samples it has never seen: it
    might have learned these by heart (overfitting).

    A loss that stands still for a while and then falls isn't a sign of a
    mistake: plateaus are common.  Not all of them end: trained as at the top
    of this file, the network learns XOR with every seed from 0 to 99 except 29
    (at the learning rate 0.5, it learns from this start, too).
    """
    if not 0 < learning_rate < math.inf or epochs < 0 or batch_size < 1:
        raise ValueError("expected learning_rate above 0 and finite, epochs "
                         "from 0, batch_size from 1, got %r, %r and %r"
                         % (learning_rate, epochs, batch_size))
    samples = check(network, samples, loss)
    losses = []
    for epoch in range(1, epochs + 1):
        order = samples if rng is None else shuffled(samples, rng)
        C_sum = 0.0
        for start in range(0, len(order), batch_size):
            batch = order[start:start + batch_size]
            C, gradient = loss_and_gradient(network, batch, loss)
            if not math.isfinite(C):
                raise ValueError("training diverged in epoch %d: start again "
                                 "with new weights and a smaller "
                                 "learning_rate, or scale the inputs" % epoch)
            sgd_step(network, gradient, learning_rate)
            C_sum += C * len(batch)
        losses.append(C_sum / len(order))
    return losses


def shuffled(samples, rng):
    """Return the samples in a new order: sort random keys, and follow them."""
    keys = sorted([(next(rng), i) for i in range(len(samples))])
    return [samples[i] for key, i in keys]


# The lesson ends here: you can now build a network, train it and check it.


# --- More activation functions, each z -> (a, da/dz) -------------------------

def linear(z):
    """Return (a, da/dz) of a = z, for outputs that can be any number."""
    return z, 1.0


def relu(z):
    """Return (a, da/dz) of a = z if z > 0, else 0.

    At the kink, z = 0, there is no derivative, and we choose 0.  A node whose
    z is below 0 for every sample has slope 0 and learns nothing while this
    lasts; people call it dead.

    Why is relu so popular?  On the way back, every layer multiplies the deltas
    by weights and slopes.  If these products are mostly below 1, the gradient
    vanishes in the first layers of a deep network; if above 1, it explodes.
    The sigmoid's slope never exceeds 1/4 and tanh's is 1 only at 0, while
    relu's is 1 wherever z > 0, which leaves only the weights to keep in check.
    """
    return (0.0, 0.0) if z <= 0 else (z, 1.0)


def leaky_relu(z):
    """Return (a, da/dz) of a = z if z > 0, else 0.01 * z: it can't die."""
    return (0.01 * z, 0.01) if z <= 0 else (z, 1.0)


def swish(z):
    """Return (a, da/dz) of a = z * s, where s is the sigmoid of z (SiLU)."""
    s, ds_dz = sigmoid(z)
    return z * s, s + z * ds_dz         # the product rule


# --- Losses for probabilities, each -> (C, [dC/dz, ...]) ---------------------
# When the answer is yes or no, or one of several classes, we want a
# probability p.  A good loss is -log of the p that the network gave to the
# right answer, which is 0 for p = 1 and grows without limit as p nears 0.  Why
# do these two start from logits, the outputs z of a linear layer, and compute
# p themselves?  Because then the slope cancels: dC/dz is just p - t.  An
# output that is very wrong learns fast, where squared_error on a sigmoid would
# multiply by a slope near 0.

def sigmoid_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that each say yes or no.

    p = sigmoid(z)[0] is the probability of yes, t its target from 0 to 1:
        C = sum of (-t * log(p) - (1 - t) * log(1 - p))
        dC/dp = -t / p + (1 - t) / (1 - p) = (p - t) / (p * (1 - p))
        dC/dz = dC/dp * dp/dz = dC/dp * p * (1 - p) = p - t
    Several answers can be yes at once.  For p from a trained network, apply
    sigmoid to its outputs.

    >>> C, dC_dz = sigmoid_cross_entropy([0.0], [1.0])
    >>> print("%.6f" % C, dC_dz)
    0.693147 [-0.5]
    """
    expect_probabilities(targets, len(logits))
    C, dC_dz = 0.0, []
    for z, t in zip(logits, targets):
        # -log(p) is log(1 + exp(-z)), and -log(1 - p) is z more than that, so
        # C = z - t * z + log(1 + exp(-z)) = -t * z + log(1 + exp(z)).  Here is
        # whichever of the two can't overflow:
        C += max(z, 0.0) - t * z + math.log(1 + math.exp(-abs(z)))
        dC_dz.append(sigmoid(z)[0] - t)         # p - t
    return C, dC_dz


def softmax(logits):
    """Return probabilities p_j = exp(z_j) / (sum of exp(z)), which sum to 1.

    Each p_i depends on every z_j, so softmax isn't an activation function
    here.  The quotient rule gives
        dp_i/dz_j = p_i * ((1 if i == j else 0) - p_j)

    >>> softmax([5.0, 5.0])
    [0.5, 0.5]
    """
    top = max(logits)           # p stays the same, but no exp overflows
    powers = [math.exp(z - top) for z in logits]
    total = sum(powers)
    return [power / total for power in powers]


def softmax_cross_entropy(logits, targets):
    """Return (C, [dC/dz, ...]) for outputs that choose one of several classes.

    With p = softmax(z) and targets that sum to 1, such as [0, 1, 0]:
        C = sum of (-t_i * log(p_i)) = log(sum of exp(z)) - (sum of t * z)
        dC/dp_i = -t_i / p_i
        dC/dz_j = sum over i of dC/dp_i * dp_i/dz_j
                = sum over i of -t_i * ((1 if i == j else 0) - p_j) = p_j - t_j
    Before training, when n classes look alike, expect C near log(n).
    Afterwards, softmax turns the outputs into p; the class is p.index(max(p)).

    >>> C, dC_dz = softmax_cross_entropy([0.0, 0.0], [1, 0])
    >>> print("%.6f" % C, dC_dz)
    0.693147 [-0.5, 0.5]
    """
    expect_probabilities(targets, len(logits))
    if not abs(sum(targets) - 1) < 1e-6:
        raise ValueError("expected targets that sum to 1, got %r" % (targets,))
    top = max(logits)           # as in softmax
    C = math.log(sum([math.exp(z - top) for z in logits]))
    for z, t in zip(logits, targets):
        if t > 0:               # 0 adds 0, even if z - top is -inf
            C -= t * (z - top)
    return C, [p - t for p, t in zip(softmax(logits), targets)]


def expect_probabilities(targets, length):
    """Refuse targets that aren't this many numbers from 0 to 1."""
    if len(targets) != length or not all([0 <= t <= 1 for t in targets]):
        raise ValueError("expected %d targets from 0 to 1, got %r"
                         % (length, targets))


# --- How much each input matters ---------------------------------------------

def jacobian(network, inputs):
    """Return the Jacobian matrix: d output_k / dx_i in rows, one per output.

    Each output in turn plays the part of C, with a backward pass of its own.
    Then (2) is used once more, from the first layer to the inputs.  Every
    layer has a Jacobian, too: its weights are the derivatives of its sums z
    with respect to the previous activations, and (2) multiplies by them.

    >>> jacobian([[[[2.0, 3.0]], [0.0], linear]], [1.0, 1.0])
    [[2.0, 3.0]]
    """
    activations, slopes = forward(network, inputs)
    rows = []
    for k in range(len(activations[-1])):
        only_k = [0.0] * len(activations[-1])
        only_k[k] = 1.0         # d output_k / d output_j: 1 for j = k, else 0
        gradient = backward(network, activations, slopes, only_k)
        weights, deltas = network[0][0], gradient[0][1]
        rows.append(send_back(weights, deltas))
    return rows


# --- The demo: python3 backprop.py -------------------------------------------

def demo():
    """Show what backpropagation is, in five parts."""
    demo_nudge()
    demo_passes()
    demo_weights()
    demo_xor()


def demo_nudge():
    """Follow a nudge from a weight to the loss."""
    def follow(w):
        z = w * 0.5 - 4
        a, slope = sigmoid(z)
        C, [dC_da] = squared_error([a], [1.0])
        return [z, a, C], [0.5, slope, dC_da]

    values, (dz_dw, da_dz, dC_da) = follow(8.0)
    dz, da, dC = [new - old for new, old in zip(follow(8.01)[0], values)]
    print("""\
1. NUDGE A WEIGHT, AND FOLLOW THE NUDGE TO THE LOSS
   One node: z = w * 0.5 - 4, a = sigmoid(z), loss C = (a - 1)**2 / 2, w = 8.
   moves    w %.6f ----> z %.6f ----> a %.6f ----> C %.6f
   measured       * %.4f         * %.4f         * %.4f   w to C  %.4f
   calculus    dz/dw = %.1f     da/dz = %.2f     dC/da = %.1f   product %.4f
   The factors multiply: that's the chain rule.  (Smaller nudges come closer.)
""" % (0.01, dz, da, dC, dz / 0.01, da / dz, dC / da, dC / 0.01,
       dz_dw, da_dz, dC_da, dz_dw * da_dz * dC_da))


def demo_problem():
    """Return the network of Matt Mazur's post (2015), inputs and targets.

    The post holds the biases still, so its loss after a step is 0.2910.
    """
    network = [[[[0.15, 0.20], [0.25, 0.30]], [0.35, 0.35], sigmoid],
               [[[0.40, 0.45], [0.50, 0.55]], [0.60, 0.60], sigmoid]]
    return network, [0.05, 0.10], [0.01, 0.99]


def demo_passes():
    """Draw the pass forward, and the pass back over the same wires."""
    network, (x1, x2), (t1, t2) = demo_problem()
    ((w1, w2), (w3, w4)), (b1, b2), f = network[0]
    ((w5, w6), (w7, w8)), (b3, b4), f = network[1]
    activations, slopes = forward(network, [x1, x2])
    (h1, h2), (o1, o2) = activations[1:]
    (slope_h1, slope_h2), (slope_o1, slope_o2) = slopes
    C, (e1, e2) = squared_error([o1, o2], [t1, t2])
    gradient = backward(network, activations, slopes, [e1, e2])
    (delta_h1, delta_h2), (delta_o1, delta_o2) = [
        dC_db for dC_dw, dC_db in gradient]
    print("""\
2. FORWARD: HOW WRONG IS IT?  Add up weight * a and a bias, take the sigmoid.
   x1 %.2f --%.2f--> h1 %.4f --%.2f--> o1 %.4f - target %.2f = %7.4f
            %.2f \\/             %.2f \\/
            %.2f /\\             %.2f /\\
   x2 %.2f --%.2f--> h2 %.4f --%.2f--> o2 %.4f - target %.2f = %7.4f
   %.2f runs down, from x1 to h2.  Biases: h1 %.2f, h2 %.2f, o1 %.2f, o2 %.2f.
   For example, h1 = sigmoid(%.2f * %.2f + %.2f * %.2f + %.2f) = %.4f.
   The loss is half the sum of the squared differences: C = %.4f.
""" % (x1, w1, h1, w5, o1, t1, e1, w3, w7, w2, w6,
       x2, w4, h2, w8, o2, t2, e2, w3, b1, b2, b3, b4,
       w1, x1, w2, x2, b1, h1, C))
    print("""\
3. BACKWARD: WHO IS TO BLAME?  A node's delta: how far C moves with its sum.
                     h1 %.4f <--%.2f-- o1 %7.4f = %7.4f * slope %.4f
                                %.2f \\/
                                %.2f /\\
                     h2 %.4f <--%.2f-- o2 %7.4f = %7.4f * slope %.4f
   An output's delta is (a - target) * slope; a sigmoid's slope is a * (1 - a).
   h1 adds up weight * delta: (%.2f * %.4f + %.2f * %.4f) * slope %.4f.
""" % (delta_h1, w5, delta_o1, e1, slope_o1, w7, w6,
       delta_h2, w8, delta_o2, e2, slope_o2,
       w5, delta_o1, w7, delta_o2, slope_h1))


def demo_weights():
    """Compare both ways to the gradient, and take steps against it."""
    network, inputs, targets = demo_problem()
    samples = [(inputs, targets)]
    activations, slopes = forward(network, inputs)
    C, gradient = loss_and_gradient(network, samples, squared_error)
    nudged = numerical_gradient(network, samples, squared_error)
    moved, rows = demo_problem()[0], []
    sgd_step(moved, gradient, 0.5)
    for layer in range(2):
        for j in range(2):
            for i in range(2):
                rows.append("   w%d %s%d->%s%d    %7.4f    *   %.4f   = %8.5f"
                            "   %8.5f    %.2f -> %.4f" % (
                    len(rows) + 1, "xh"[layer], i + 1, "ho"[layer], j + 1,
                    gradient[layer][1][j], activations[layer][i],
                    gradient[layer][0][j][i], nudged[layer][0][j][i],
                    network[layer][0][j][i], moved[layer][0][j][i]))
    b_h1, dC_db, b_after = [
        part[0][1][0] for part in (network, gradient, moved)]
    losses = train(moved, samples, squared_error, 0.5, epochs=1000)
    print("""\
4. WHAT EACH WEIGHT MUST ANSWER FOR, FROM ONE PASS FORWARD AND ONE BACK
   wire      delta at end * a at start =  dC/dw    by nudging  w - 0.5 * dC/dw
%s
   A bias is a weight on a constant 1: h1's goes %.2f - 0.5 * %.4f -> %.4f.
   A step takes C from %.4f to %.4f, 100 steps to %.4f, 1,000 to %.4f.
""" % ("\n".join(rows), b_h1, dC_db, b_after,
       C, losses[0], losses[99], losses[999]))


def demo_xor():
    """Film how a network learns XOR from random weights."""
    network = init_network([2, 4, 1], [tanh, sigmoid], uniform(1))
    film, done = ["  "] * 8, 0
    for epoch in [0, 40, 60, 80, 1000]:
        train(network, XOR, squared_error, 1.0, epochs=epoch - done)
        done = epoch
        for y in range(6):
            film[y] += " |"
            for x in range(11):
                output = predict(network, [x / 10, 1 - y / 5])[0]
                film[y] += " .+#@"[min(4, int(5 * output))]
            film[y] += "| "
        film[6] += " %-14s" % ("epoch %d" % epoch)
        film[7] += " C = %-10.4f" % mean_loss(network, XOR, squared_error)
    print("""\
5. AGAIN AND AGAIN, FROM RANDOM WEIGHTS: IS EXACTLY ONE OF TWO INPUTS 1?  (XOR)
%s
   x1 goes right, x2 up; blank . + # @ run from no to yes.  Read backprop.py.\
""" % "\n".join([line.rstrip() for line in film]))


# --- What is refused ---------------------------------------------------------
# Most mistakes stop at an error message of Python's own.  Others would pass in
# silence or fail halfway, so train and gradient_check look for them first.

def check(network, samples, loss):
    """Return the samples in lists of floats; refuse what doesn't fit."""
    def expect(length, values, where):
        if not isinstance(values, list):
            raise ValueError("%s: expected a list, got %.60r (an array has "
                             ".tolist())" % (where, values))
        if len(values) != length:
            raise ValueError("%s: expected length %d, got length %d"
                             % (where, length, len(values)))

    n_in = n_out = len(network[0][0][0])    # a layer's n_out feeds the next
    for layer, (weights, biases, f) in enumerate(network):
        for j, row in enumerate(weights):
            expect(n_out, row, "network[%d] weights[%d]" % (layer, j))
        n_out = len(weights)
        expect(n_out, biases, "network[%d] biases" % layer)
    rows = parameters(network)
    if len(set([id(row) for row in rows])) < len(rows):
        raise ValueError("network: expected a list of its own for every node")
    if not math.isfinite(sum([sum(row) for row in rows])):
        raise ValueError("network: expected finite weights and biases")
    if (loss in [sigmoid_cross_entropy, softmax_cross_entropy]
            and network[-1][2] is not linear):
        raise ValueError("network[-1]: expected linear, because the loss "
                         "applies sigmoid or softmax itself")
    checked = []
    for number, (inputs, targets) in enumerate(samples):
        where = "samples[%d]" % number
        inputs, targets = list(map(float, inputs)), list(map(float, targets))
        expect(n_in, inputs, where + " inputs")
        expect(n_out, targets, where + " targets")
        C, dC_da = loss(predict(network, inputs), targets)
        expect(n_out, dC_da, where + " dC/da")
        if not math.isfinite(C + sum(dC_da) + sum(inputs)):
            raise ValueError("%s: expected finite numbers, got the loss %r "
                             "for %.60r" % (where, C, inputs))
        checked.append((inputs, targets))
    return checked


if __name__ == "__main__":
    demo()
