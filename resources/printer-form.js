/**
 * The buttons that the forms of all printers have: find printers on the network, and test the connection. Both ask a
 * route of the node's type, which needs the permission to write.
 *
 * `form` names the node's type, the properties and secrets that the server needs to connect, those that a found printer
 * fills in, and the words to show.
 */
// biome-ignore lint/correctness/noUnusedVariables: the editor files of the printers call it.
function platewisePrinterForm(node, form) {
  const answer = $('#node-input-answer');
  const found = $('#node-input-found');
  const foundRow = $('#node-input-found-row');
  const buttons = $('#node-input-find, #node-input-test');

  const input = (name) => $(`#node-input-${name}`);
  const valueOf = (name) => (input(name).is(':checkbox') ? input(name).is(':checked') : input(name).val());
  const show = (heading, lines = []) => {
    answer.empty().prop('hidden', false);
    $('<div>').css('font-weight', 'bold').text(heading).appendTo(answer);
    for (const line of lines) $('<div>').text(line).appendTo(answer);
  };
  const ask = (route, body, then) => {
    buttons.prop('disabled', true);
    $.ajax({
      url: `platewise/${form.type}/${route}`,
      method: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(body),
    })
      .done(then)
      .fail((reply) => {
        const problem = reply.responseJSON;
        const details = ((problem && problem.errors) || []).map(({ remedy }) => remedy);
        show((problem && problem.detail) || form.words.error, details);
      })
      .always(() => buttons.prop('disabled', false));
  };

  $('#node-input-find').on('click', () => {
    show(form.words.searching);
    foundRow.prop('hidden', true);
    ask('discover', { host: input('host').val() }, ({ printers }) => {
      if (printers.length === 0) {
        show(form.words.nothing);
        return;
      }
      answer.prop('hidden', true);
      found.empty();
      for (const printer of printers) {
        const parts = [printer.name, printer.model, printer.serial, printer.host].filter((part) => part);
        $('<option>').text(parts.join(', ')).data('printer', printer).appendTo(found);
      }
      foundRow.prop('hidden', false);
      found.trigger('change');
    });
  });
  found.on('change', () => {
    const printer = found.find(':selected').data('printer');
    if (!printer) return;
    for (const name of form.filled) {
      const isNamed = name === 'name' && input('name').val() !== '';
      if (printer[name] !== undefined && !isNamed) input(name).val(printer[name]).trigger('change');
    }
    if (printer.note) show(printer.note);
    else answer.prop('hidden', true);
  });

  $('#node-input-test').on('click', () => {
    show(form.words.testing);
    const properties = Object.fromEntries(form.properties.map((name) => [name, valueOf(name)]));
    const credentials = Object.fromEntries(form.secrets.map((name) => [name, valueOf(name)]));
    ask('test', { id: node.id, properties, credentials }, ({ ready, report, checks }) => {
      const heading = ready ? form.words.ready : report ? form.words.reached : form.words.failed;
      const seen = report ? [[report.model, report.firmware, report.state].filter((part) => part).join(', ')] : [];
      show(heading, [...seen, ...checks.map(({ message, remedy }) => `${message} ${remedy}`)]);
    });
  });
}
