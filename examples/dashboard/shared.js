    // What several pages need; scripts/dashboard.mjs puts it into each of them.
    /** The answer of the HTTP interface. With an error it throws what to do, in words; `fields` tells of which input. */
    async ask(path, { method = 'GET', json, csv = false } = {}) {
      const key = sessionStorage.getItem('platewise-key');
      const headers = { accept: csv ? 'text/csv' : 'application/json', ...(key && { authorization: `Bearer ${key}` }), ...(json && { 'content-type': 'application/json' }) };
      let response;
      try { response = await fetch(`/api/fabrication${path}`, { method, headers, ...(json && { body: JSON.stringify(json) }) }); }
      catch { throw new Error('The farm does not answer. Is Node-RED running?'); }
      if (response.ok) return csv ? response.text() : response.json();
      throw this.refusal(response.status, await response.text());
    },
    refusal(status, text) {
      let body = {};
      try { body = JSON.parse(text); } catch { /* not from the farm itself */ }
      const error = new Error(body.detail ?? `The farm did not accept this (${status}).`);
      error.fields = Object.fromEntries((body.errors ?? []).map((one) => [one.field, one.remedy]));
      if (status === 401) {
        const known = sessionStorage.getItem('platewise-key') !== null;
        error.message = `${known ? 'This key is not in use (any more).' : 'The farm asks for a key.'} Press “Key” at the top of the page and paste one. “npx platewise keys create --name dashboard --scope operate” makes it.`;
      }
      if (status === 404 && !body.code) error.message = 'This page needs the flows of the example “api”.';
      return error;
    },
    time(iso) {
      if (!iso) return '';
      // Formats are slow to make, and a list has many times.
      const formats = (globalThis.platewiseFormats ??= {
        today: new Intl.DateTimeFormat([], { hour: '2-digit', minute: '2-digit' }),
        other: new Intl.DateTimeFormat([], { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }),
      });
      const at = new Date(iso);
      return (at.toDateString() === new Date().toDateString() ? formats.today : formats.other).format(at);
    },
    span(minutes) {
      const whole = Math.round(Math.abs(minutes));
      if (whole < 60) return `${whole} min`;
      if (whole < 2880) return `${Math.floor(whole / 60)} h ${whole % 60} min`;
      return `${Math.floor(whole / 1440)} days ${Math.round((whole % 1440) / 60)} h`;
    },
    /** A text of the farm, with its times as clocks here show them. */
    words(text) { return (text ?? '').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (iso) => this.time(iso)); },
    /** Why nobody knows what became of a print, from the reason of its job. */
    unknown(reason) { return this.words(reason.replace(/^outcome_unknown: ./, (start) => start.at(-1).toUpperCase())); },
    /** A material, to be read; never for a sentence, which may name printers and codes too. */
    material(id) { return (id ?? '').replaceAll('_', ' '); },
    printerName(id) { return this.printers?.find((one) => one.printer_id === id)?.name ?? id; },
    spoolLabel(spool) {
      if (!spool) return 'a spool';
      const where = spool.printer_id ? `, in ${this.printerName(spool.printer_id)} ${spool.slot ?? ''}`.trimEnd() : '';
      return `${spool.label ?? this.material(spool.material_id)}, ${Math.round(spool.grams_left)} g${where}`;
    },
    /** Takes the named things from a message, which tells only some of them. */
    take(msg, ...names) {
      for (const name of names) if (msg?.payload?.[name]) this[name] = msg.payload[name];
    },
    /** What was told before the page was opened, it has to ask for. */
    catchUp() { this.send({ payload: { whole: true } }); },
    /** What can be chosen in a form. */
    async know() {
      try {
        this.materials = (await this.ask('/materials?limit=1000')).materials;
        this.printers = (await this.ask('/printers')).printers;
        this.problem = '';
      } catch (error) { this.problem = error.message; }
    },
    order(action, rest) {
      const key = sessionStorage.getItem('platewise-key');
      this.send({ payload: { action, ...rest }, ...(key && { authorization: `Bearer ${key}` }) });
    },
