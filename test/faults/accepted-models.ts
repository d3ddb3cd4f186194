/**
 * SQL by which each printer lists the model that its simulator is of, where nothing else has told the farm: the nodes have no
 * field for it.
 */
export const acceptedModels = `
  CREATE OR REPLACE FUNCTION campaign_accepted_models() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF NEW.make = 'bambu' AND NOT NEW.capabilities ? 'acceptsModels' THEN
      NEW.capabilities := NEW.capabilities || '{"acceptsModels": ["Bambu Lab H2D", "O1D"]}';
    END IF;
    RETURN NEW;
  END $$;
  CREATE OR REPLACE TRIGGER campaign_accepted_models BEFORE INSERT OR UPDATE ON printers
    FOR EACH ROW EXECUTE FUNCTION campaign_accepted_models();
  UPDATE printers SET make = make;`;
