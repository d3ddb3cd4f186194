/**
 * What the fields of a printer's form may hold, as the server reads them too. Empty is right everywhere, and so is the name of an
 * environment variable.
 */
// biome-ignore lint/correctness/noUnusedVariables: the editor files of the printers call it.
// Each form loads this file again, which only var allows.
var platewiseField = {
  /** The fields in which what counts is shown as long as they are empty. */
  shown: [
    ...['buildX', 'buildY', 'buildZ', 'nozzles', 'slots', 'materials', 'maxNozzleTemperature', 'maxBedTemperature'],
    ...['maxChamberTemperature', 'acceptsModels', 'toolVolumes', 'bedExclusions'],
  ],
  isLeftOpen(value) {
    return value === undefined || value === null || /^(\$\{[^}]+\})?$/.test(String(value).trim());
  },
  words(value) {
    return String(value)
      .split(/[,;\s]+/)
      .filter((word) => word !== '');
  },
  /** A number within a range. */
  number(value, least, most) {
    return this.isLeftOpen(value) || (Number(value) >= least && Number(value) <= most);
  },
  /** Diameters in mm with commas: `0.4, 0.6`. */
  nozzles(value) {
    return this.isLeftOpen(value) || this.words(value).every((word) => Number(word) >= 0.1 && Number(word) <= 3);
  },
  /** Types of material with commas: `PLA, PA-CF`. */
  materials(value) {
    return this.isLeftOpen(value) || this.words(value).every((word) => /^[A-Za-z][A-Za-z0-9+-]{0,19}$/.test(word));
  },
  /** Names of macros with commas: `LINE_PURGE, CLEAN_NOZZLE`. */
  macros(value) {
    return this.isLeftOpen(value) || this.words(value).every((word) => /^(?![A-Za-z]\d)[A-Za-z_][A-Za-z0-9_]{0,39}$/.test(word));
  },
  /** Names with commas, each once, with its tool where the name does not say it: `ams0-0, ams1-0=1`. */
  slots(value) {
    if (this.isLeftOpen(value)) return true;
    const slots = String(value)
      .split(',')
      .filter((slot) => slot.trim() !== '');
    const names = slots.map((slot) => slot.split('=')[0].trim());
    const areRead = slots.every((slot) => /^\s*[A-Za-z0-9_.-]{1,20}\s*(=\s*(\d|1[0-5])\s*)?$/.test(slot));
    return areRead && new Set(names).size === names.length;
  },
  /** Two corners each, with semicolons: `0,0-18,28; 153,235-216,256`. */
  corners(value, axes) {
    if (this.isLeftOpen(value)) return true;
    const parts = String(value)
      .split(';')
      .filter((part) => part.trim() !== '');
    const corner = Array(axes).fill('-?\\d+(\\.\\d+)?').join(',');
    const pattern = new RegExp(`^(${corner})-(${corner})$`);
    const isBox = (part) => {
      const [, ...found] = pattern.exec(part.replace(/\s+/g, '')) || [];
      const [from, to] = found.filter((text) => text !== undefined && text.includes(',')).map((text) => text.split(','));
      return from !== undefined && from.every((edge, axis) => Number(edge) < Number(to[axis]));
    };
    return parts.length > 0 && parts.every(isBox);
  },
  exclusions(value) {
    return String(value).trim().toLowerCase() === 'none' || this.corners(value, 2);
  },
};

/**
 * What the forms of all printers do: find printers on the network, test the connection, and show in each field that is left empty
 * what counts then. All ask a route of the node's type.
 *
 * `form` names the node's type, the properties and secrets that the server needs to connect, those that a found printer
 * fills in, the words to show, and those for empty fields of which nothing is known.
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

  const select = input('model');
  // The list comes later; what is chosen already must not get lost until then, nor without it.
  if (select.length > 0 && node.model && select.find(`option[value="${node.model}"]`).length === 0) {
    $('<option>').val(node.model).text(node.model).appendTo(select);
  }
  select.val(node.model || '');
  let defaults = {};
  let fallback = {};
  const showDefaults = (values) => {
    // Of a model that nobody has chosen, nor the printer has told yet, nothing is known.
    const isOpen = select.length > 0 && values.buildX === undefined;
    for (const name of platewiseField.shown) {
      const axis = /^build([XYZ])$/.exec(name);
      const nothing = axis ? axis[1] : isOpen ? form.empty.model : form.empty[name];
      const known = isOpen ? undefined : values[name];
      input(name).attr('placeholder', known === undefined ? nothing || '' : known);
    }
  };
  $.getJSON(`platewise/${form.type}/models`).done((table) => {
    defaults = Object.fromEntries(table.models.map((model) => [model.token, model.defaults]));
    fallback = table.fallback;
    for (const { token, name, reason } of [...table.models, ...table.refused]) {
      const known = select.find('option').filter((_index, option) => option.value === token);
      const option = known.length > 0 ? known : $('<option>').val(token).appendTo(select);
      option.text(name);
      if (reason) option.prop('disabled', true).attr('title', reason);
    }
    select.val(node.model || '');
    showDefaults(defaults[select.val()] || fallback);
  });
  let shownModel = node.model || '';
  select.on('change', () => {
    const [before, now] = [defaults[shownModel], defaults[select.val()]];
    shownModel = select.val();
    // What the model takes is to be seen and changed; what somebody wrote stays.
    const accepts = input('acceptsModels');
    if (now && (accepts.val() === '' || (before && accepts.val() === before.acceptsModels))) {
      accepts.val(now.acceptsModels).trigger('change');
    }
    showDefaults(now || fallback);
  });

  // What is wrong must not be hidden; the editor marks it some time later.
  const dialog = answer.closest('form');
  const reveal = new MutationObserver(() => dialog.find('details').has('.input-error').prop('open', true));
  if (dialog.length > 0) reveal.observe(dialog[0], { subtree: true, attributeFilter: ['class'] });

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
    if (printer.token !== undefined) select.val(printer.token).trigger('change');
    if (printer.note) show(printer.supported ? printer.note : `${form.words.unsupported} ${printer.note}`);
    else answer.prop('hidden', true);
  });

  $('#node-input-test').on('click', () => {
    show(form.words.testing);
    const properties = Object.fromEntries(form.properties.map((name) => [name, valueOf(name)]));
    const credentials = Object.fromEntries(form.secrets.map((name) => [name, valueOf(name)]));
    ask('test', { id: node.id, properties, credentials }, ({ ready, report, checks, defaults: told }) => {
      const heading = ready ? form.words.ready : report ? form.words.reached : form.words.failed;
      const seen = report ? [[report.model, report.firmware, report.state].filter((part) => part).join(', ')] : [];
      show(heading, [...seen, ...checks.map(({ message, remedy }) => `${message} ${remedy}`)]);
      if (told) showDefaults({ ...(defaults[select.val()] || fallback), ...told });
    });
  });
}
